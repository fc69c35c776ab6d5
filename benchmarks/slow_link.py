"""A viewer on a 1 Mbit/s link of 1.5 Mbit/s video, direct and through nginx, beside a fast one.

    python benchmarks/slow_link.py          (as root: it makes a network namespace)

The link is a veth pair under a token bucket (tbf) that holds back up to 400 ms, as home routers do.
The viewers acknowledge every 100 ms as the page does.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from media.cmaf import VIDEO_TRACK, CmafError, FragmentHeader
from websockets.asyncio.client import ClientConnection, connect

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from conftest import free_port
from whole import Station

SPACE, HERE, THERE = "beeper-slow", "10.123.0.1", "10.123.0.2"
FPS, KBPS = 30, 1500
NGINX = """
daemon off; pid {folder}/nginx.pid; error_log stderr error; worker_processes 1; user root;
events {{ }}
http {{
  access_log off;
  server {{
    listen {host}:{port};
    location / {{
      proxy_pass http://{host}:{web}; proxy_http_version 1.1; proxy_buffering off;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";
    }}
  }}
}}
"""


class Watched(NamedTuple):
    """Ages of frames in seconds at their arrival, the longest wait, the share that arrived."""

    ages: list[float]
    longest: float
    share: float


async def watch(url: str, seconds: float) -> Watched:
    """Watch one camera for a while, as a browser would."""
    ages: list[float] = []
    longest, seq, arrived, last = 0.0, 0, 0, time.monotonic()
    first: int | None = None
    joined = time.time()
    async with connect(url, compression=None, max_size=None, max_queue=4) as socket:
        acks = asyncio.create_task(acknowledge(socket, lambda: seq))
        end = time.monotonic() + seconds
        async for message in socket:
            if time.monotonic() > end:
                break
            with contextlib.suppress(CmafError, TypeError):
                header = FragmentHeader.parse(message)  # type: ignore[arg-type]
                if header.track_id == VIDEO_TRACK:
                    seq = header.seq
                    first = seq if first is None else first
                    arrived += 1
                    # What was captured before is the cached group of pictures, old by nature.
                    if header.capture > joined:
                        ages.append(time.time() - header.capture)
                    longest = max(longest, time.monotonic() - last)
                    last = time.monotonic()
        acks.cancel()
    return Watched(ages, longest, arrived / (seq - (first or 0) + 1))


async def acknowledge(socket: ClientConnection, newest: Callable[[], int]) -> None:
    """Say every 100 ms what has arrived."""
    while True:
        await asyncio.sleep(0.1)
        await socket.send(json.dumps({"type": "ack", "seq": newest()}))


@contextlib.contextmanager
def link(kbit: int) -> Iterator[None]:
    """A network namespace behind a link of that rate."""
    run("ip", "netns", "add", SPACE)
    try:
        run("ip", "link", "add", "beeper0", "type", "veth", "peer", "name", "eth0", "netns", SPACE)
        run("ip", "addr", "add", f"{HERE}/30", "dev", "beeper0")
        run("ip", "link", "set", "beeper0", "up")
        run("ip", "-n", SPACE, "addr", "add", f"{THERE}/30", "dev", "eth0")
        run("ip", "-n", SPACE, "link", "set", "eth0", "up")
        bucket = ("rate", f"{kbit}kbit", "burst", "4kb", "latency", "400ms")
        run("tc", "qdisc", "add", "dev", "beeper0", "root", "tbf", *bucket)
        yield
    finally:
        subprocess.run(["ip", "link", "del", "beeper0"], check=False)
        run("ip", "netns", "del", SPACE)


@contextlib.contextmanager
def nginx(folder: Path, web: int) -> Iterator[int]:
    """Debian's nginx before the page; its port."""
    port = free_port()
    text = NGINX.format(folder=folder, host=HERE, port=port, web=web)
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    with subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf")]) as server:
        yield port
        server.terminate()


def run(*command: str) -> None:
    """A command that must succeed."""
    subprocess.run(command, check=True)


def slow_viewer(url: str, seconds: float) -> Watched:
    """A viewer in the namespace, a process of its own."""
    command = ["ip", "netns", "exec", SPACE, sys.executable, __file__]
    said = subprocess.run(
        [*command, "--watch", url, "--seconds", str(seconds)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Watched(*json.loads(said.stdout))


async def together(port: int, web: int, seconds: float) -> tuple[Watched, Watched]:
    """A slow and a fast viewer at the same time."""
    slow = asyncio.to_thread(slow_viewer, f"ws://{HERE}:{port}/live/csi", seconds)
    fast = watch(f"ws://{HERE}:{web}/live/csi", seconds)
    first, second = await asyncio.gather(slow, fast)
    return first, second


def report(name: str, seen: Watched) -> None:
    """One line."""
    quantiles = statistics.quantiles(seen.ages, n=20) if len(seen.ages) > 1 else [0.0] * 19
    print(
        f"{name:<28} frame age p50 {quantiles[9] * 1000:5.0f} ms, p95 {quantiles[18] * 1000:5.0f},"
        f" max {max(seen.ages) * 1000:5.0f}; {seen.share * 100:3.0f} % of the frames,"
        f" longest wait {seen.longest:.1f} s"
    )


def main() -> None:
    """Print what each viewer saw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--kbit", type=int, default=1000, help="rate of the link")
    parser.add_argument("--watch", metavar="URL", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.watch:
        sys.stdout.write(json.dumps(asyncio.run(watch(options.watch, options.seconds))))
        return
    video = {
        "BEEPER_WEB__HOST": HERE,
        "BEEPER_CAMERA__CSI__FPS": str(FPS),
        "BEEPER_CAMERA__CSI__BITRATE_KBPS": str(KBPS),
        "BEEPER_CAMERA__USB__ENABLED": "false",
    }
    with tempfile.TemporaryDirectory() as name, link(options.kbit):
        folder = Path(name)
        station = Station(folder, **video)
        station.url = f"http://{HERE}:{station.port}/"
        try:
            station.wait_ready()
            with nginx(folder, station.port) as proxy:
                for way, port in (("direct", station.port), ("through nginx", proxy)):
                    slow, fast = asyncio.run(together(port, station.port, options.seconds))
                    report(f"{options.kbit} kbit/s, {way}", slow)
                    report("beside it, on a fast link", fast)
        finally:
            station.close()


if __name__ == "__main__":
    main()
