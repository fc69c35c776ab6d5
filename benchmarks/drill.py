"""How soon the page says that something is missing, and how soon it is whole again.

    python benchmarks/drill.py                     every part killed, Mosquitto stopped for 60 s
    python benchmarks/drill.py --stopped 5 --only web mosquitto

Each part is killed with SIGKILL, Mosquitto also stopped in place (SIGSTOP). Seconds by the clock of
this process, which looks at the page in headless Chromium twenty times a second: from the signal to
the first word that something is missing, and from the part's return (its new process, or SIGCONT)
until nothing is missing: no word at the top, every service online, no reading stale, and the clock
that the cameras draw into their pictures less than a second old on the screen. The page is never
loaded again.
"""

import argparse
import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from chromium import CHROMIUM, FLAGS
from onlooker import Look, Onlooker, whole
from whole import Station

PARTS = {
    "camera-csi": ("camera", "csi"),
    "stills": ("stills",),
    "metadata": ("metadata",),
    "sensors": ("sensors",),
    "web": ("web",),
    "mosquitto": ("mosquitto",),
}
STEADY = 3.0
"""Seconds for which nothing may be missing before it counts as whole."""
PATIENCE = 60.0
SAID_WITHIN, WHOLE_WITHIN = 3.0, 10.0


class Drill(NamedTuple):
    """Unix times."""

    began: float
    said: float
    words: str
    returned: float
    whole: float
    last: str
    """What was missing last."""


def look_until(onlooker: Onlooker, so: Callable[[Look], bool], what: str) -> tuple[Look, float]:
    """Twenty looks a second; the first that is so, with its time."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        look, now = onlooker.look(), time.time()
        if so(look):
            return look, now
        onlooker.page.wait_for_timeout(30)
    sys.exit(f"never {what}: {onlooker.look()}")


def until_whole(onlooker: Onlooker) -> tuple[float, str]:
    """The moment since which nothing has been missing for a while, and what was missing last."""
    since, last = None, "nothing"
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        look, now = onlooker.look(), time.time()
        if not whole(look):
            since, last = None, "; ".join(look.missing) or "not all services are there"
        elif since is None:
            since = now
        elif now - since > STEADY:
            return since, last
        onlooker.page.wait_for_timeout(30)
    sys.exit(f"never whole again: {last}")


def said(onlooker: Onlooker) -> tuple[float, str]:
    """When and in which words the page says that something is missing."""
    look, now = look_until(onlooker, lambda look: bool(look.banner), "a word at the top")
    return now, look.banner[0]


def kill(station: Station, onlooker: Onlooker, words: tuple[str, ...]) -> Drill:
    """Kill a part and wait for its successor."""
    began = time.time()
    old = station.kill(*words)
    moment, text = said(onlooker)
    while (new := station.pid(*words)) in (None, old):
        onlooker.page.wait_for_timeout(20)
    returned = psutil.Process(new).create_time()
    return Drill(began, moment, text, returned, *until_whole(onlooker))


def stop(station: Station, onlooker: Onlooker, seconds: float) -> Drill:
    """Stop Mosquitto in place for a while."""
    began = time.time()
    pid = station.kill("mosquitto", number=signal.SIGSTOP)
    try:
        moment, text = said(onlooker)
        onlooker.page.wait_for_timeout(max(0.0, began + seconds - time.time()) * 1000)
    finally:
        os.kill(pid, signal.SIGCONT)
    return Drill(began, moment, text, time.time(), *until_whole(onlooker))


@contextlib.contextmanager
def watched(station: Station) -> Iterator[Onlooker]:
    """The page in Chromium, whole."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        onlooker = Onlooker(browser.new_page(), station.url)
        onlooker.page.evaluate("() => { globalThis.before = true; }")
        until_whole(onlooker)
        yield onlooker
        assert onlooker.page.evaluate("() => globalThis.before"), "the page was loaded again"
        browser.close()


def report(name: str, drill: Drill) -> bool:
    """One line; whether it kept to the targets."""
    to_say, to_heal = drill.said - drill.began, drill.whole - drill.returned
    kept = to_say <= SAID_WITHIN and to_heal <= WHOLE_WITHIN
    print(
        f"{name:<22} said after {to_say:5.2f} s   whole {to_heal:5.2f} s after its return "
        f"{'' if kept else ' OVER TARGET'}\n"
        f"{'':<22} “{drill.words}”; missing last: {drill.last[:200]}",
        flush=True,
    )
    return kept


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stopped", type=float, default=60, help="seconds of SIGSTOP")
    parser.add_argument("--only", nargs="+", choices=[*PARTS, "stopped"], metavar="PART")
    options = parser.parse_args()
    chosen = options.only or [*PARTS, "stopped"]
    kept = []
    with tempfile.TemporaryDirectory() as folder:
        station = Station(Path(folder))
        try:
            station.wait_ready()
            with watched(station) as onlooker:
                for name in chosen:
                    if name == "stopped":
                        drill = stop(station, onlooker, options.stopped)
                        name = f"mosquitto for {options.stopped:g} s"
                    else:
                        drill = kill(station, onlooker, PARTS[name])
                    kept.append(report(name, drill))
        finally:
            station.close()
    print(f"targets: said within {SAID_WITHIN:g} s, whole within {WHOLE_WITHIN:g} s")
    sys.exit(not all(kept))


if __name__ == "__main__":
    main()
