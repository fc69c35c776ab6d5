"""How many WebSocket viewers one web process serves on one core, and what that costs each.

    python benchmarks/viewers.py --viewers 500

Mosquitto, the publisher and the viewers share the other cores. The viewers shake hands as a browser
does (they offer permessage-deflate), read every frame and acknowledge every 100 ms, masked.
"""

import argparse
import asyncio
import base64
import json
import multiprocessing
import os
import re
import secrets
import socket
import statistics
import struct
import subprocess
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import cast

from bus import Settings
from bus.media import MediaConnection
from media.clock import boottime
from media.cmaf import VIDEO_TRACK, fragment, video_init

NTP_UNIX = 2_208_988_800
TICKS = os.sysconf("SC_CLK_TCK")
SATURATED = 0.93
HANDSHAKE = (
    "GET /live/bench HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nPragma: no-cache\r\n"
    "Cache-Control: no-cache\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\n"
    "Upgrade: websocket\r\nOrigin: http://{host}\r\nSec-WebSocket-Version: 13\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n"
    "Sec-WebSocket-Key: {key}\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
)


class Viewer(asyncio.Protocol):
    """A browser as the network sees it."""

    def __init__(self, load: "Load") -> None:
        self.load = load
        self.rest = b""
        self.shaken = False
        self.seq: int | None = None
        self.acked: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        self.transport.write(HANDSHAKE.format(host=self.load.host, key=key).encode())

    def data_received(self, data: bytes) -> None:
        data = self.rest + data
        if not self.shaken:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self.rest = head
                return
            assert b" 101 " in head.splitlines()[0], head
            assert b"permessage-deflate" not in head, "media must not be compressed"
            self.shaken = True
        self.rest = data[self.frames(data) :]

    def frames(self, data: bytes) -> int:
        """Take every whole frame; where the rest begins."""
        place, end = 0, len(data)
        while end - place >= 2:
            length, start = data[place + 1], place + 2
            if length > 125:
                size = 2 if length == 126 else 8
                start += size
                length = int.from_bytes(data[start - size : start], "big")
            if end < start + length:
                break
            if data[place] == 0x82 and data[start + 4 : start + 8] == b"prft":
                self.frame(data, start)
            place = start + length
        return place

    def frame(self, data: bytes, start: int) -> None:
        ntp, self.seq = (
            struct.unpack_from(">Q36xI", data, start + 16)[0],
            int.from_bytes(data[start + 52 : start + 56], "big"),
        )
        self.load.received(ntp / (1 << 32) - NTP_UNIX)

    def acknowledge(self) -> None:
        if self.seq is not None and self.seq != self.acked:
            self.acked = self.seq
            text = json.dumps({"type": "ack", "seq": self.seq}).encode()
            mask = secrets.token_bytes(4)
            masked = bytes(byte ^ mask[i & 3] for i, byte in enumerate(text))
            self.transport.write(bytes((0x81, 0x80 | len(text))) + mask + masked)

    def connection_lost(self, exc: Exception | None) -> None:
        self.load.lost += 1


class Load:
    """All viewers of one process."""

    def __init__(self, port: int, count: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self.port = port
        self.count = count
        self.lost = 0
        self.frames = 0
        self.ages: list[float] = []
        self.measuring = False

    def received(self, captured: float) -> None:
        if self.measuring:
            self.frames += 1
            if self.frames % 7 == 0:
                self.ages.append(time.time() - captured)

    async def run(self, pipe: Connection, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        viewers = []
        for number in range(self.count):
            _, viewer = await loop.create_connection(lambda: Viewer(self), "127.0.0.1", self.port)
            viewers.append(viewer)
            if number % 10 == 0:
                await asyncio.sleep(0.02)
        acks = asyncio.create_task(self.acknowledge(viewers))
        await asyncio.sleep(3)
        self.measuring = True
        pipe.send("go")
        await asyncio.sleep(seconds)
        self.measuring = False
        pipe.send((self.frames, self.lost, sorted(self.ages)))
        acks.cancel()
        await asyncio.to_thread(pipe.recv)

    async def acknowledge(self, viewers: list[Viewer]) -> None:
        """Each viewer every 100 ms, spread over that time."""
        parts = 20
        while True:
            for part in range(parts):
                began = time.monotonic()
                for viewer in viewers[part::parts]:
                    viewer.acknowledge()
                await asyncio.sleep(max(0, 0.1 / parts - (time.monotonic() - began)))


def run_load(port: int, count: int, seconds: float, cores: set[int], pipe: Connection) -> None:
    """The body of the viewers' process."""
    os.sched_setaffinity(0, cores)
    asyncio.run(Load(port, count).run(pipe, seconds))


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
    pictures = secrets.token_bytes(size * 8), secrets.token_bytes(size)
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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    for _ in range(500):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    sys.exit(f"nothing listens on port {port}")


async def measure(options: argparse.Namespace, web: int, port: int, settings: Settings) -> None:
    """Run camera and viewers, and print what came of it."""
    camera = asyncio.create_task(publish(settings, options.kilobits, options.fps))
    await asyncio.sleep(1)
    empty = memory(web)
    ours, theirs = multiprocessing.Pipe()
    cores = os.sched_getaffinity(0)
    load = multiprocessing.Process(
        target=run_load, args=(port, options.viewers, options.seconds, cores, theirs)
    )
    load.start()
    assert load.pid
    assert await asyncio.to_thread(ours.recv) == "go"
    began, before = time.monotonic(), (cpu(web), cpu(load.pid))
    frames, lost, ages = await asyncio.to_thread(ours.recv)
    took = time.monotonic() - began
    used = [(cpu(pid) - was) / took for pid, was in zip((web, load.pid), before, strict=True)]
    full = memory(web)
    ours.send("end")
    load.join(5)
    camera.cancel()
    report(options, used, frames / (options.viewers * options.fps * took), ages, lost)
    each = (full - empty) / options.viewers / 1024
    print(f"memory of web: {full / 1e6:.0f} MB (PSS), {each:.0f} KiB a viewer besides the kernel's")


def report(
    options: argparse.Namespace, used: list[float], share: float, ages: list[float], lost: int
) -> None:
    """Figures, and which side was at its limit."""
    quantiles = statistics.quantiles(ages, n=100)
    full = [name for name, part in zip(("web", "load"), used, strict=True) if part > SATURATED]
    print(
        f"{options.viewers} viewers of {options.kilobits:g} kbit/s at {options.fps:g} fps:"
        f" {share * 100:.2f} % of the frames arrived, {lost} connections lost\n"
        f"captured to received: p50 {quantiles[49] * 1000:.1f} ms, p95 {quantiles[94] * 1000:.1f},"
        f" p99 {quantiles[98] * 1000:.1f}\n"
        f"CPU: web {used[0] * 100:.0f} % of its core, viewers {used[1] * 100:.0f} % of theirs;"
        f" saturated: {' and '.join(full) or 'neither'}"
    )


def main() -> None:
    """Start what is needed, measure, end it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=500)
    parser.add_argument("--kilobits", type=float, default=1500)
    parser.add_argument("--fps", type=float, default=30)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    first, *others = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, others or {first})
    broker_port, port = free_port(), free_port()
    os.environ |= {"BEEPER_MQTT__PORT": str(broker_port), "BEEPER_WEB__PORT": str(port)}
    os.environ["BEEPER_WEB__MAX_VIEWERS"] = str(options.viewers)
    broker = subprocess.Popen(["mosquitto", "-p", str(broker_port)], stderr=subprocess.DEVNULL)
    wait_for(broker_port)
    web = subprocess.Popen(["taskset", "-c", str(first), sys.executable, "-m", "web"])
    try:
        wait_for(port)
        asyncio.run(measure(options, web.pid, port, Settings()))
    finally:
        web.terminate()
        web.wait(5)
        broker.terminate()
        broker.wait(5)


if __name__ == "__main__":
    main()
