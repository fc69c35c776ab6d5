"""How far sound and picture are apart on the page in headless Chromium, on every rung with sound.

    python benchmarks/lip_sync.py                      every rung for ten minutes, one after another
    python benchmarks/lip_sync.py --rungs webrtc --seconds 60

The `test` camera draws the wall clock into its pictures and beeps at each whole second. A script in
the page notes when a frame is presented (glass.py) and when a beep begins, in an AudioWorklet
behind whatever plays the sound. Where the page plays it through Web Audio (WebCodecs), the time is
that of the output; a media element compensates its output's delay itself, and there the time is
that at which it hands the samples over. Positive: the sound is behind the picture.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import Playwright, async_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from chromium import CHROMIUM, FLAGS
from glass import SAMPLER
from onlooker import CLOCK
from whole import Station

MOST = 80.0
"""Milliseconds that nobody notices, and the station's target."""
RUNGS = ["webcodecs", "webrtc", "mse", "hls"]

EAR = """
(() => {
  const beeps = (window.beeps = []);
  const ONSET = `registerProcessor("onset", class extends AudioWorkletProcessor {
    quiet = 0;
    process([[samples]]) {
      for (let i = 0; i < (samples?.length ?? 0); i++) {
        if (Math.abs(samples[i]) < 0.05) { this.quiet++; continue; }
        if (this.quiet > sampleRate * 0.3) {
          const ahead = i / sampleRate;
          this.port.postMessage({ time: currentTime + ahead, wall: Date.now() + ahead * 1000 });
        }
        this.quiet = 0;
      }
      return true;
    }
  });`;
  const prepared = new Map();

  /** A node that hears, in this context. */
  function ear(context, wallOf) {
    if (!prepared.has(context)) {
      const module = URL.createObjectURL(new Blob([ONSET], { type: "text/javascript" }));
      prepared.set(context, context.audioWorklet.addModule(module));
    }
    return prepared.get(context).then(() => {
      const node = new AudioWorkletNode(context, "onset");
      node.port.onmessage = ({ data }) => beeps.push(wallOf(data));
      return node;
    });
  }

  const connect = AudioNode.prototype.connect;
  const ears = new Map();
  AudioNode.prototype.connect = function (target, ...rest) {
    const { context } = this;
    if (target === context.destination && !this.isOurs) {
      const heard = ({ time }) => {
        const { contextTime, performanceTime } = context.getOutputTimestamp();
        return performance.timeOrigin + performanceTime + (time - contextTime) * 1000;
      };
      if (!ears.has(context)) {
        const gate = new GainNode(context);
        ears.set(context, gate);
        ear(context, heard).then((node) => connect.call(gate, node));
      }
      connect.call(this, ears.get(context));
    }
    return connect.call(this, target, ...rest);
  };

  const followed = new WeakSet();
  let own = null;
  setInterval(() => {
    const player = Object.values(window.beeper?.players ?? {})[0];
    const video = player?.element;
    if (!(video instanceof HTMLVideoElement) || video.muted || followed.has(video)) return;
    followed.add(video);
    own ??= new AudioContext({ sampleRate: 48000 });
    const source = video.srcObject
      ? own.createMediaStreamSource(video.srcObject)
      : own.createMediaElementSource(video);
    source.isOurs = true;
    ear(own, ({ wall }) => wall).then((node) => connect.call(source, node));
    if (!video.srcObject) connect.call(source, own.destination);
  }, 50);
})();
"""


async def listen(playwright: Playwright, url: str, rung: str, seconds: float) -> dict[str, Any]:
    """Latencies of pictures and Unix times (ms) of beeps over `seconds`, after ten of settling."""
    browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    context = await browser.new_context(bypass_csp=True)
    page = await context.new_page()
    await page.add_init_script(CLOCK + SAMPLER + EAR)
    await page.goto(f"{url}?player={rung}")
    await page.wait_for_function("() => glass.length > 0", timeout=30_000)
    await page.get_by_role("button", name="Unmute").click()
    await page.wait_for_function("() => beeps.length > 2", timeout=30_000)
    await asyncio.sleep(10)
    await page.evaluate("() => { glass.length = beeps.length = 0; }")
    await asyncio.sleep(seconds)
    found: dict[str, Any] = await page.evaluate(
        "() => ({ beeps, origin: performance.timeOrigin, glass,"
        " rung: Object.values(beeper.players)[0].rung })"
    )
    await browser.close()
    return found


def apart(found: dict[str, Any]) -> list[float]:
    """By how many milliseconds each beep was behind the pictures of its time."""
    pictures = [(found["origin"] + one["at"], one["latency"]) for one in found["glass"]]
    result = []
    for beep in found["beeps"]:
        near = [latency for at, latency in pictures if abs(at - beep) < 500]
        if near:
            result.append((beep - statistics.median(near) + 500) % 1000 - 500)
    return result


def report(rung: str, found: dict[str, Any], seconds: float) -> bool:
    """One line; whether it kept to the target."""
    shifts = apart(found)
    if len(shifts) < 0.9 * seconds or found["rung"] != rung:
        print(f"{rung:<10} heard {len(shifts)} beeps of {seconds:g}, played on {found['rung']}")
        return False
    picture = statistics.median(one["latency"] for one in found["glass"])
    worst = max(shifts, key=abs)
    tenth = max(1, len(shifts) // 10)
    drift = statistics.median(shifts[-tenth:]) - statistics.median(shifts[:tenth])
    print(
        f"{rung:<10} picture p50 {picture:6.1f} ms   sound behind it: median "
        f"{statistics.median(shifts):+6.1f} ms, worst {worst:+6.1f}, drift {drift:+5.1f} "
        f"({len(shifts)} beeps){'' if abs(worst) <= MOST else '   OVER TARGET'}",
        flush=True,
    )
    return abs(worst) <= MOST


async def everything(station: Station, rungs: list[str], seconds: float) -> bool:
    """Each rung in a browser of its own, one after another: side by side they would be measuring
    the machine."""
    kept = []
    async with async_playwright() as playwright:
        for rung in rungs:
            found = await listen(playwright, station.url, rung, seconds)
            kept.append(report(rung, found, seconds))
    return all(kept)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--rungs", nargs="+", default=RUNGS)
    options = parser.parse_args()
    camera = {"BEEPER_CAMERA__CSI__AUDIO": "test", "BEEPER_CAMERA__USB__ENABLED": "false"}
    with tempfile.TemporaryDirectory() as folder:
        station = Station(Path(folder), **camera)
        try:
            station.wait_ready()
            kept = asyncio.run(everything(station, options.rungs, options.seconds))
        finally:
            station.close()
    print(f"target: within {MOST:g} ms")
    sys.exit(not kept)


if __name__ == "__main__":
    main()
