"""Glass to glass: from a frame being drawn to the same frame on the page in headless Chromium.

    python benchmarks/latency.py                   a minute each of every rung, 30 and 10 fps
    python benchmarks/latency.py --seconds 600     whether it drifts

The `test` camera draws the wall clock into the top of each picture. A script in the page reads it
back from what is on the screen: of a canvas after each rendered frame (the compositor may take up
to a refresh more), of a video element for the moment at which the browser presents the frame. That
moment less the clock in the picture is the latency. It does not use what the page says of itself,
which is printed beside it. In the same run, with the same picture: Debian's ustreamer, whose
V4L2 device is a pipe (v4l2_pipe.c), and MediaMTX, when --mediamtx names its program.
"""

import argparse
import contextlib
import shutil
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
from glass import ASKED, SAMPLER
from mediamtx_server import watched_through
from onlooker import CLOCK
from ustreamer import served
from whole import Station

FIRST = """() => {
  const p = Object.values(beeper.players)[0];
  return { loaded: p.firstPictureMs, asked: asked === null ? null : p.firstPictureMs - asked };
}"""
IMAGE = """() => {
  const element = new Image();
  element.src = "/stream";
  document.body.replaceChildren(element);
  globalThis.beeper = { players: { only: { element } } };
}"""
TELEMETRY = """() => {
  const p = Object.values(window.beeper?.players ?? {})[0];
  if (!p) return null;
  const { rung, frames, shown, dropped, seeks, stalls, latencyMs } = p;
  return { rung, frames, shown, dropped, seeks, stalls,
           own: latencyMs.slice(-1000).map((s) => s.latency) };
}"""


@contextlib.contextmanager
def page_of(station: Station, rung: str) -> Iterator[Page]:
    """The page in a fresh Chromium, pinned to a rung, with the sampler in it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(CLOCK + SAMPLER + ASKED)
        page.goto(f"{station.url}?player={rung}")
        yield page
        browser.close()


def measure(station: Station, rung: str, seconds: float) -> dict[str, Any]:
    """Samples and the page's own counts over `seconds`, after five of settling."""
    with page_of(station, rung) as page:
        page.wait_for_function("() => window.glass.length > 0", timeout=20_000)
        first = page.evaluate(FIRST)
        time.sleep(5)
        before = page.evaluate(TELEMETRY)
        page.evaluate("() => { window.glass.length = 0; }")
        time.sleep(seconds)
        samples = page.evaluate("() => window.glass")
        after = page.evaluate(TELEMETRY)
        page.reload()
        page.wait_for_function("() => window.glass.length > 0", timeout=20_000)
        after |= {"first": first, "again": page.evaluate(FIRST)}
    counts = {
        key: after[key] - before[key] for key in ("frames", "shown", "dropped", "seeks", "stalls")
    }
    return {**after, **counts, "samples": [sample["latency"] for sample in samples]}


def measure_image(url: str, seconds: float) -> list[float]:
    """Latencies of an MJPEG stream in an image of its own page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(CLOCK + SAMPLER)
        page.goto(url)
        page.evaluate(IMAGE)
        page.wait_for_function("() => window.glass.length > 0", timeout=20_000)
        time.sleep(5)
        page.evaluate("() => { window.glass.length = 0; }")
        time.sleep(seconds)
        samples = page.evaluate("() => window.glass")
        browser.close()
    return [sample["latency"] for sample in samples]


def quantile(values: list[float], percent: int) -> float:
    """One percentile."""
    return statistics.quantiles(values, n=100)[percent - 1] if len(values) > 1 else float("nan")


def said(first: dict[str, float | None]) -> str:
    """When the first picture was shown."""
    asked = "" if first["asked"] is None else f"{first['asked']:.0f} ms after the page asked, "
    return f"{asked}{first['loaded']:.0f} ms after navigation"


def report(name: str, fps: int, found: dict[str, Any], seconds: float) -> None:
    """Three lines about one run."""
    samples = found["samples"]
    tenth = max(2, len(samples) // 10)
    drift = statistics.median(samples[-tenth:]) - statistics.median(samples[:tenth])
    expected = fps * seconds
    print(
        f"{name:<15} {fps:>2} fps  p50 {quantile(samples, 50):5.1f} ms  p95 "
        f"{quantile(samples, 95):5.1f}  max {max(samples):6.1f}  "
        f"(the page says p50 {quantile(found['own'], 50):.1f})\n"
        f"{'':<23}arrived {found['frames'] / expected * 100:.1f} %, seen on the screen "
        f"{len(samples) / expected * 100:.1f} %, seeks {found['seeks']}, stalls {found['stalls']}, "
        f"drift {drift:+.1f} ms over {seconds:g} s\n"
        f"{'':<23}first picture {said(found['first'])}; on a second visit {said(found['again'])}"
    )


def watch_ustreamer(fps: int, seconds: float) -> None:
    """Measure and report ustreamer with the same picture, where it is installed."""
    if missing := [name for name in ("ustreamer", "cc") if shutil.which(name) is None]:
        print(f"ustreamer: not measured, {' and '.join(missing)} not installed")
        return
    with tempfile.TemporaryDirectory() as folder, served(Path(folder), fps) as url:
        samples = measure_image(url, seconds)
    print(
        f"{'ustreamer MJPEG':<15} {fps:>2} fps  p50 {quantile(samples, 50):5.1f} ms  p95 "
        f"{quantile(samples, 95):5.1f}  max {max(samples):6.1f}\n"
        f"{'':<23}seen on the screen {len(samples) / fps / seconds * 100:.1f} %"
    )


def watch(station: Station, ways: dict[str, str], fps: int, seconds: float) -> None:
    """Measure and report ways of watching: name → rung."""
    for name, rung in ways.items():
        report(name, fps, measure(station, rung, seconds), seconds)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--fps", type=int, nargs="+", default=[30, 10])
    ways = ["webcodecs", "webrtc", "mse", "hls", "mjpeg"]
    parser.add_argument("--rungs", nargs="*", default=ways)
    parser.add_argument("--mediamtx", type=Path, help="its program: measured too")
    options = parser.parse_args()
    for fps in options.fps:
        video = {"BEEPER_CAMERA__CSI__FPS": str(fps), "BEEPER_CAMERA__USB__ENABLED": "false"}
        with tempfile.TemporaryDirectory() as folder:
            station = Station(Path(folder), **video)
            with contextlib.closing(station):
                station.wait_ready()
                watch(station, {rung: rung for rung in options.rungs}, fps, options.seconds)
        watch_ustreamer(fps, options.seconds)
        if options.mediamtx:
            with (
                tempfile.TemporaryDirectory() as folder,
                watched_through(options.mediamtx, Path(folder), **video) as station,
            ):
                others = {"MediaMTX WebRTC": "webrtc", "MediaMTX HLS": "hls"}
                watch(station, others, fps, options.seconds)


if __name__ == "__main__":
    main()
