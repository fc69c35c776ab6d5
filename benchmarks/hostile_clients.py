"""What a viewer keeps while strangers attack a whole station, each attack in turn.

    python benchmarks/hostile_clients.py                    all attacks, against `make run`
    python benchmarks/hostile_clients.py --nofile 1024      with so many descriptors a process
    python benchmarks/hostile_clients.py --only silent --check

The viewer watches by WebSocket in a process of its own and acknowledges each frame; attackers are
another process. Printed for each attack: the share of the camera's frames that the viewer got, the
longest time without one, and the memory of `web` (RSS): before, its peak, and a minute after, or as
soon as it is back within 20 %. `--check` fails below 90 % of the frames, above 1 s without one, or
when the memory is not given back.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import multiprocessing
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import psutil
from media.cmaf import VIDEO_TRACK, FragmentHeader
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import http_attacks
import socket_attacks
from whole import Station

ATTACKS = http_attacks.ATTACKS | socket_attacks.ATTACKS
"""Attacks by name."""
FRAMES, GAP, MEMORY = 0.9, 1.0, 1.2
"""Targets: share of the frames, seconds without one, memory afterwards against before."""
CAMERA = {
    "BEEPER_CAMERA__USB__ENABLED": "false",
    "BEEPER_CAMERA__CSI__WIDTH": "640",
    "BEEPER_CAMERA__CSI__HEIGHT": "480",
}
"""One camera is enough: its encoder shares the cores with the attackers."""
SETTLE = 60.0
"""Seconds in which memory is to be given back."""


class Seen(NamedTuple):
    """What the viewer got from the beginning of an attack to its end."""

    share: float
    gap: float
    """Seconds."""


class Result(NamedTuple):
    """One attack; memory in MB."""

    name: str
    seen: Seen
    before: float
    peak: float
    after: float
    settled: float
    """Seconds after the attack at which `after` was read."""
    became: Counter[str]

    @property
    def kept(self) -> bool:
        """Whether the targets were met."""
        viewer = self.seen.share >= FRAMES and self.seen.gap <= GAP
        return viewer and self.after <= self.before * MEMORY


class Viewer:
    """Watches one camera, as a page does, and comes back when it is cut off."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._frames: list[tuple[float, int]] = []
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while True:
            with contextlib.suppress(OSError, WebSocketException, TimeoutError):
                self._live()
            time.sleep(0.1)

    def _live(self) -> None:
        with connect(self._url, compression=None, max_size=None) as socket:
            for data in socket:
                if isinstance(data, bytes) and data[4:8] == b"prft":
                    header = FragmentHeader.parse(data)
                    if header.track_id == VIDEO_TRACK:
                        self._frames.append((time.monotonic(), header.seq))
                        socket.send(json.dumps({"type": "ack", "seq": header.seq}))

    def seen(self, since: float) -> Seen:
        """What came since a moment (monotonic)."""
        frames = [(at, seq) for at, seq in self._frames if at >= since]
        times = [since, *(at for at, _ in frames), time.monotonic()]
        gap = max(after - before for before, after in itertools.pairwise(times))
        if len(frames) < 2:
            return Seen(0, gap)
        return Seen(len(frames) / (frames[-1][1] - frames[0][1] + 1), gap)


def watch(url: str, pipe: Connection) -> None:
    """The body of the viewer's process: each moment that comes is answered with what was seen."""
    viewer = Viewer(url)
    while (since := pipe.recv()) is not None:
        pipe.send(viewer.seen(since))


@contextlib.contextmanager
def viewing(url: str) -> Iterator[Callable[[float], Seen]]:
    """A viewer; gives a function that says what came since a moment."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=watch, args=(url, theirs), daemon=True)
    process.start()

    def seen(since: float) -> Seen:
        ours.send(since)
        answer: Seen = ours.recv()
        return answer

    try:
        yield seen
    finally:
        ours.send(None)
        process.join(5)
        process.kill()


def strike(name: str, port: int, pipe: Connection) -> None:
    """The body of the attackers' process."""
    pipe.send(asyncio.run(run(name, port)))


async def run(name: str, port: int) -> Counter[str]:
    """One attack."""
    return await ATTACKS[name](port)


def attack(name: str, port: int, web: psutil.Process, seen: Callable[[float], Seen]) -> Result:
    """Run one attack and look at web's memory all the while, and until it is given back."""
    ours, theirs = multiprocessing.Pipe()
    attackers = multiprocessing.Process(target=strike, args=(name, port, theirs), daemon=True)
    before = peak = megabytes(web)
    began = time.monotonic()
    attackers.start()
    became: Counter[str] = Counter()
    while attackers.is_alive() or ours.poll():
        if ours.poll(0.1):
            became = ours.recv()
        peak = max(peak, megabytes(web))
    result = seen(began)
    ended = time.monotonic()
    while (after := megabytes(web)) > before * MEMORY and time.monotonic() - ended < SETTLE:
        time.sleep(0.5)
    return Result(name, result, before, peak, after, time.monotonic() - ended, became)


def megabytes(process: psutil.Process) -> float:
    """Resident memory."""
    return float(process.memory_info().rss) / 1e6


def report(result: Result) -> bool:
    """One attack in two lines; whether it met the targets."""
    became = ", ".join(f"{what} {count}" for what, count in sorted(result.became.items()))
    print(
        f"{result.name:<36} {result.seen.share * 100:5.1f} % of the frames,"
        f" longest gap {result.seen.gap:5.2f} s; web {result.before:.0f} MB,"
        f" peak {result.peak:.0f}, {result.after:.0f} after {result.settled:.0f} s"
        f"{'' if result.kept else '  OVER TARGET'}\n{'':<36} {became}",
        flush=True,
    )
    return result.kept


def chosen(words: list[str] | None) -> list[str]:
    """The attacks whose names have any of these words; all when there are none."""
    if words is None:
        return list(ATTACKS)
    return [name for name in ATTACKS if any(word in name for word in words)]


def main() -> None:
    """Print a block for each attack."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", metavar="WORD", help="attacks with any of these words")
    parser.add_argument("--nofile", type=int, help="descriptors that each process may have")
    parser.add_argument("--check", action="store_true", help="fail when a target is missed")
    options = parser.parse_args()
    if not (names := chosen(options.only)):
        parser.error(f"no attack is called that; there are: {'; '.join(ATTACKS)}")
    limit = [f"--nofile={options.nofile}:{options.nofile}"] if options.nofile else []
    with tempfile.TemporaryDirectory() as folder:
        station = Station(Path(folder), *(["prlimit", *limit] if limit else []), **CAMERA)
        station.wait_ready()
        try:
            with viewing(f"ws://127.0.0.1:{station.port}/live/csi") as seen:
                web = psutil.Process(station.pid("-m", "web"))
                time.sleep(5)
                kept = [report(attack(name, station.port, web, seen)) for name in names]
        finally:
            station.close()
    sys.exit(options.check and not all(kept))


if __name__ == "__main__":
    main()
