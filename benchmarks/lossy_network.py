"""What the page chooses on a network that loses packets, and whether it was right.

    .venv/bin/python benchmarks/lossy_network.py

Chromium stands in a network namespace behind a path with delay and loss (`tests/link.py`; root).
For every network: how old the picture is, on average and for 95 % of the time at most, with each of
the two fast players alone, and the player that the page has come to by itself after `CHOICE`
seconds.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, "tests")

from chromium import CHROMIUM, FLAGS
from link import Link, Quality, possible
from playwright.sync_api import Browser, Page, sync_playwright
from whole import Station

NETWORKS = (
    Quality(delay=0.005),
    Quality(delay=0.005, loss=0.03),
    Quality(delay=0.05),
    Quality(delay=0.05, loss=0.03),
)
PLAYERS = ("webcodecs", "webrtc")
MEASURED = 15
"""Seconds over which a player is measured, after as many that it gets to settle."""
CHOICE = 60
NAME = "station.test"


def open_page(browser: Browser, origin: str, player: str) -> Page:
    """A page whose second camera is out of the way: it would share the path."""
    page = browser.new_context().new_page()
    page.add_init_script('localStorage["beeper.player.usb"] = "mjpeg"')
    page.add_init_script(f'localStorage["beeper.player.csi"] = "{player}"')
    page.goto(origin)
    page.wait_for_function("() => globalThis.beeper?.players.csi?.shown > 0", timeout=60_000)
    return page


def age(browser: Browser, origin: str, player: str) -> dict[str, float]:
    """The median latency, the picture's mean age and the one that it rarely exceeds, in ms."""
    page = open_page(browser, origin, player)
    page.wait_for_timeout(MEASURED * 2000)
    found: dict[str, float] = page.evaluate(
        """seconds => {
          const { csi } = beeper.players;
          return { median: csi.median(performance.now(), seconds), ...csi.fresh.over(seconds) };
        }""",
        MEASURED,
    )
    page.context.close()
    return found


def choice(browser: Browser, origin: str) -> tuple[str, str]:
    """The player that the page has come to, and why."""
    page = open_page(browser, origin, "")
    end = time.monotonic() + CHOICE
    while time.monotonic() < end:
        page.wait_for_timeout(500)
    rung = str(page.evaluate("() => beeper.players.csi.rung"))
    why = page.get_by_role("article", name="Camera csi").locator(".why").inner_text()
    page.context.close()
    return rung, why


def main() -> None:
    if not possible():
        sys.exit("this needs root and /dev/net/tun: run it with sudo")
    folder = Path(tempfile.mkdtemp())
    link = Link(f"bk{os.getpid()}", folder)
    known = {"BEEPER_ACCESS__HOSTS": f'["{NAME}"]'}
    station = Station(folder, BEEPER_WEB__HOST="0.0.0.0", **known)  # noqa: S104 (reached from the namespace)
    try:
        station.wait_ready()
        origin = f"http://{NAME}:{station.port}"
        names = f"--host-resolver-rules=MAP {NAME} {link.here}"
        secure = f"--unsafely-treat-insecure-origin-as-secure={origin}"
        with sync_playwright() as playwright:
            program = str(link.program(CHROMIUM))
            args = [*FLAGS, names, secure]
            browser = playwright.chromium.launch(executable_path=program, args=args)
            for quality in NETWORKS:
                link.set(quality)
                print(f"round trip {quality.delay * 2000:.0f} ms, loss {quality.loss:.0%}")
                for player in PLAYERS:
                    found = age(browser, origin, player)
                    print(
                        f"  {player:9} latency p50 {found['median']:4.0f} ms, "
                        f"age mean {found['mean']:5.0f} p95 {found['p95']:5.0f} ms"
                    )
                rung, why = choice(browser, origin)
                print(f"  chosen: {rung} ({why})", flush=True)
    finally:
        link.close()
        station.close()


if __name__ == "__main__":
    main()
