"""How many viewers one process serves on one core: WebRTC beside WebSocket, and where each bends.

    python benchmarks/viewers.py                        both, step by step until the server is full
    python benchmarks/viewers.py --websocket 500 --whep 100    just these numbers

The server (`web`, `webrtc`) has a core of its own; Mosquitto, the publisher and the viewers share
the others. WebSocket viewers shake hands as a browser does (they offer permessage-deflate), read
every frame and acknowledge every 100 ms, masked. WebRTC viewers finish ICE and DTLS; one in twenty
decrypts and counts what comes, for the others the kernel throws it away. Each line says which side
was at its limit.
"""

import argparse
import asyncio
import multiprocessing
import os
import re
import secrets
import statistics
import subprocess
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

from bus import Settings
from bus.media import MediaConnection
from media.clock import boottime
from media.cmaf import VIDEO_TRACK, fragment, video_init

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from conftest import free_port, listens, wait_until
from webrtc_load import WhepLoad
from websocket_load import WebsocketLoad

TICKS = os.sysconf("SC_CLK_TCK")
SATURATED = 0.93
SERVED, IN_TIME = 0.99, 0.1
"""Share of the pictures that must come, and seconds in which 95 of 100 must."""
SERVERS = {"websocket": "web", "whep": "webrtc"}


def run_load(
    kind: str, port: int, count: int, seconds: float, cores: set[int], pipe: Connection
) -> None:
    """The body of the viewers' process."""
    os.sched_setaffinity(0, cores)
    load = WhepLoad(count) if kind == "whep" else WebsocketLoad(port, count)
    asyncio.run(load.run(pipe, seconds))


def parameter_sets() -> tuple[bytes, bytes]:
    """SPS and PPS of a real encoder."""
    command = "ffmpeg -v error -f lavfi -i testsrc2=s=800x600 -frames:v 1 -c:v libx264"
    command += " -profile:v baseline -tune zerolatency -f h264 -"
    stream = subprocess.run(command.split(), capture_output=True, check=True).stdout
    units = [unit for unit in re.split(b"\0\0\0?\1", stream) if unit]
    return next(u for u in units if u[0] & 31 == 7), next(u for u in units if u[0] & 31 == 8)


async def publish(settings: Settings, kilobits: float, fps: float) -> None:
    """A camera with a key frame of eight times the size every second."""
    media = MediaConnection(settings, "camera-bench")
    link = asyncio.create_task(media.run())
    sps, pps = parameter_sets()
    codecs = f"avc1.{sps[1:4].hex()}"
    media.publish_init("bench", "video", video_init(sps, pps), session="s1", codecs=codecs)
    size = int(kilobits * 125 / (fps + 7))
    pictures = slice_of(0x65, size * 8), slice_of(0x41, size)
    number, began = 0, boottime()
    try:
        while True:
            key = number % round(fps) == 0
            tfdt = int(boottime() * 90_000)
            data = fragment(
                VIDEO_TRACK, number, tfdt, 3000, time.time(), pictures[0 if key else 1], key
            )
            media.publish_fragment("bench", "video", "s1", data, key)
            number += 1
            await asyncio.sleep(began + number / fps - boottime())
    finally:
        link.cancel()


def slice_of(head: int, size: int) -> bytes:
    """A sample of one slice, of which nobody decodes anything."""
    return (size - 4).to_bytes(4, "big") + bytes((head,)) + secrets.token_bytes(size - 5)


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(pid: int) -> int:
    """Bytes of a process, shared pages divided (PSS)."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    found = re.search(r"^Pss:\s+(\d+)", text, re.M)
    assert found
    return int(found[1]) * 1024


async def measure(
    options: argparse.Namespace, kind: str, count: int, server: int, port: int
) -> bool:
    """Run the viewers, print what came of it; whether the server served them all in time."""
    empty = memory(server)
    ours, theirs = multiprocessing.Pipe()
    cores = os.sched_getaffinity(0)
    load = multiprocessing.Process(
        target=run_load, args=(kind, port, count, options.seconds, cores, theirs)
    )
    load.start()
    pid = load.pid or 0
    assert await asyncio.to_thread(ours.recv) == "go"
    began, before = time.monotonic(), (cpu(server), cpu(pid))
    frames, lost, ages = await asyncio.to_thread(ours.recv)
    took = time.monotonic() - began
    used = [(cpu(p) - was) / took for p, was in zip((server, pid), before, strict=True)]
    each = (memory(server) - empty) / count / 1024
    ours.send("end")
    await asyncio.to_thread(load.join, 5)
    load.kill()
    share = frames / (count * options.fps * took)
    report(kind, count, used, share, ages, lost, each)
    return share > SERVED and quantile(ages, 95) < IN_TIME and used[0] < SATURATED and not lost


def quantile(ages: list[float], percent: int) -> float:
    """One percentile in seconds; infinite when nothing came."""
    return statistics.quantiles(ages, n=100)[percent - 1] if len(ages) > 1 else float("inf")


def report(
    kind: str,
    count: int,
    used: list[float],
    share: float,
    ages: list[float],
    lost: int,
    each: float,
) -> None:
    """Figures, and which side was at its limit."""
    names = SERVERS[kind], "viewers"
    full = [name for name, part in zip(names, used, strict=True) if part > SATURATED]
    p50, p95, p99 = (quantile(ages, percent) * 1000 for percent in (50, 95, 99))
    print(
        f"{kind:<9} {count:>4} viewers: {share * 100:6.2f} % of the pictures came, {lost} lost;"
        f" captured to received p50 {p50:5.1f} ms, p95 {p95:6.1f}, p99 {p99:6.1f};"
        f" CPU: {names[0]} {used[0] * 100:3.0f} % of its core, viewers {used[1] * 100:3.0f} % of"
        f" theirs; {each:.0f} KiB each; saturated: {' and '.join(full) or 'neither'}",
        flush=True,
    )


async def climb(
    options: argparse.Namespace, kind: str, steps: list[int], server: int, port: int
) -> None:
    """More and more viewers until it bends."""
    served = 0
    for count in steps:
        # A hiccup of the machine is no knee: it must happen twice.
        if not await measure(options, kind, count, server, port) and not await measure(
            options, kind, count, server, port
        ):
            print(f"{kind:<9} the knee is between {served} and {count} viewers on one core")
            return
        served = count
    print(f"{kind:<9} {served} viewers on one core, and no knee yet")


async def run(options: argparse.Namespace, servers: dict[str, int], port: int) -> None:
    """The camera, and each kind of viewer after the other."""
    camera = asyncio.create_task(publish(Settings(), options.kilobits, options.fps))
    await asyncio.sleep(1)
    for kind in SERVERS:
        steps = getattr(options, kind)
        await climb(options, kind, steps, servers[kind], port)
    camera.cancel()


def main() -> None:
    """Start what is needed, measure, end it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--websocket", type=int, nargs="*", default=[200, 400, 600, 800, 1000])
    parser.add_argument("--whep", type=int, nargs="*", default=[25, 50, 75, 100, 150, 200, 300])
    parser.add_argument("--kilobits", type=float, default=1500)
    parser.add_argument("--fps", type=float, default=30)
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    first, *others = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, others or {first})
    broker_port, port = free_port(), free_port()
    os.environ |= {"BEEPER_MQTT__PORT": str(broker_port), "BEEPER_WEB__PORT": str(port)}
    os.environ |= {"BEEPER_WEB__MAX_VIEWERS": "2000", "BEEPER_WEBRTC__MAX_SESSIONS": "2000"}
    # Viewers that do not read do not speak either.
    os.environ["BEEPER_LOG_LEVEL"] = "warning"
    os.environ |= {"BEEPER_WEBRTC__SILENT": "600", "BEEPER_WEBRTC__CONNECT": "60"}
    started = [subprocess.Popen(["mosquitto", "-p", str(broker_port)], stderr=subprocess.DEVNULL)]
    wait_until(lambda: listens(broker_port), "the server listens")
    pinned = ["taskset", "-c", str(first), sys.executable, "-m"]
    servers = {kind: subprocess.Popen([*pinned, name]) for kind, name in SERVERS.items()}
    started += servers.values()
    try:
        wait_until(lambda: listens(port), "the server listens")
        asyncio.run(run(options, {kind: made.pid for kind, made in servers.items()}, port))
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(10)


if __name__ == "__main__":
    main()
