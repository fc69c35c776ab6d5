"""Glass to glass: from a frame being drawn to the same frame on the page in headless Chromium.

    python benchmarks/latency.py                   a minute each of WebCodecs and MSE, 30 and 10 fps
    python benchmarks/latency.py --seconds 600     whether it drifts

The `test` camera draws the wall clock into the top of each picture. A script in the page reads it
back from what is on the screen: of a canvas after each rendered frame (the compositor may take up
to a refresh more), of a video element for the moment at which the browser presents the frame. That
moment less the clock in the picture is the latency. It does not use what the page says of itself,
which is printed beside it.
"""

import argparse
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from chromium import CHROMIUM, FLAGS
from onlooker import CLOCK
from whole import Station

SAMPLER = """
(() => {
  const samples = (window.glass = []);
  let last = null;

  function note(source, width, moment) {
    if (!width) return;
    const drawn = drawnAt(source, width);
    if (drawn === null || drawn === last) return;
    last = drawn;
    const wall = (performance.timeOrigin + moment) % 2 ** 32;
    samples.push({ at: performance.now(), latency: wall - drawn });
  }

  // A message posted from the animation frame is delivered after that frame has been rendered.
  const rendered = new MessageChannel();
  let now = null;
  rendered.port1.onmessage = () => {
    const moment = performance.now();
    if (now instanceof HTMLCanvasElement) note(now, now.width, moment);
    if (now instanceof HTMLImageElement && now.complete) note(now, now.naturalWidth, moment);
  };
  function frame() {
    const player = Object.values(window.beeper?.players ?? {})[0];
    const element = player?.element ?? null;
    if (element !== now && element instanceof HTMLVideoElement) follow(element);
    now = element;
    rendered.port2.postMessage(0);
    requestAnimationFrame(frame);
  }
  function follow(video) {
    const presented = (_, about) => {
      note(video, video.videoWidth, about.expectedDisplayTime);
      if (now === video) video.requestVideoFrameCallback(presented);
    };
    video.requestVideoFrameCallback(presented);
  }
  requestAnimationFrame(frame);
})();
"""
TELEMETRY = """() => {
  const p = Object.values(window.beeper?.players ?? {})[0];
  if (!p) return null;
  const { rung, frames, shown, dropped, seeks, stalls, firstPictureMs, latencyMs } = p;
  return { rung, frames, shown, dropped, seeks, stalls, firstPictureMs,
           own: latencyMs.slice(-1000).map((s) => s.latency) };
}"""


@contextlib.contextmanager
def page_of(station: Station, rung: str) -> Iterator[Page]:
    """The page in a fresh Chromium, pinned to a rung, with the sampler in it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(CLOCK + SAMPLER)
        page.goto(f"{station.url}?player={rung}")
        yield page
        browser.close()


def measure(station: Station, rung: str, seconds: float) -> dict[str, Any]:
    """Samples and the page's own counts over `seconds`, after five of settling."""
    with page_of(station, rung) as page:
        page.wait_for_function("() => window.glass.length > 0", timeout=20_000)
        time.sleep(5)
        before = page.evaluate(TELEMETRY)
        page.evaluate("() => { window.glass.length = 0; }")
        time.sleep(seconds)
        samples = page.evaluate("() => window.glass")
        after = page.evaluate(TELEMETRY)
        page.reload()
        page.wait_for_function("() => window.glass.length > 0", timeout=20_000)
        after["again"] = page.evaluate(TELEMETRY)["firstPictureMs"]
    counts = {
        key: after[key] - before[key] for key in ("frames", "shown", "dropped", "seeks", "stalls")
    }
    return {**after, **counts, "samples": [sample["latency"] for sample in samples]}


def quantile(values: list[float], percent: int) -> float:
    """One percentile."""
    return statistics.quantiles(values, n=100)[percent - 1] if len(values) > 1 else float("nan")


def report(rung: str, fps: int, found: dict[str, Any], seconds: float) -> None:
    """Three lines about one run."""
    samples = found["samples"]
    tenth = max(2, len(samples) // 10)
    drift = statistics.median(samples[-tenth:]) - statistics.median(samples[:tenth])
    expected = fps * seconds
    print(
        f"{rung:<10} {fps:>2} fps  p50 {quantile(samples, 50):5.1f} ms  p95 "
        f"{quantile(samples, 95):5.1f}  max {max(samples):6.1f}  "
        f"(the page says p50 {quantile(found['own'], 50):.1f})\n"
        f"{'':<18}arrived {found['frames'] / expected * 100:.1f} %, seen on the screen "
        f"{len(samples) / expected * 100:.1f} %, seeks {found['seeks']}, stalls {found['stalls']}, "
        f"drift {drift:+.1f} ms over {seconds:g} s, first picture {found['firstPictureMs']:.0f} ms "
        f"after navigation, {found['again']:.0f} when the camera is watched already"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--fps", type=int, nargs="+", default=[30, 10])
    parser.add_argument("--rungs", nargs="+", default=["webcodecs", "mse"])
    options = parser.parse_args()
    for fps in options.fps:
        video = {
            "BEEPER_CAMERA__CSI__FPS": str(fps),
            "BEEPER_CAMERA__USB__ENABLED": "false",
        }
        with tempfile.TemporaryDirectory() as folder:
            station = Station(Path(folder), **video)
            try:
                station.wait_ready()
                for rung in options.rungs:
                    report(rung, fps, measure(station, rung, options.seconds), options.seconds)
            finally:
                station.close()


if __name__ == "__main__":
    main()
