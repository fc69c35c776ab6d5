"""A network between this machine and a namespace: with a delay, with loss, or with UDP blocked.

The kernel here may have no netem, so that packets pass through a process of its own, between two
TUN devices. The protocols on both sides are the kernel's own, and so is what they make of it.
Needs root. `python tests/link.py NAME NET` is that process; it takes settings as lines of JSON.
"""

import contextlib
import fcntl
import heapq
import itertools
import json
import os
import random
import select
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
UDP = 17


class Quality(NamedTuple):
    """What the network does to each packet, in both directions."""

    delay: float = 0.0
    """Seconds one way."""
    loss: float = 0.0
    """Part of the packets that never arrive."""
    udp: bool = True


def possible() -> bool:
    """Whether this process may make namespaces and devices."""
    return os.geteuid() == 0 and Path("/dev/net/tun").exists()


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


class Link:
    """The host has the address `here`, the namespace `name` has `there`."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        net = f"10.251.{os.getpid() % 250}"
        self.here, self.there = f"{net}.1", f"{net}.2"
        self._wrapper = folder / "chromium"
        run("ip", "netns", "add", name)
        run("ip", "-n", name, "link", "set", "lo", "up")
        self._process = subprocess.Popen(
            [sys.executable, __file__, name, net],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        assert self._process.stdout.readline() == "ready\n"

    def set(self, quality: Quality) -> None:
        """From now on."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(quality._asdict()) + "\n")
        self._process.stdin.flush()

    def program(self, path: str) -> Path:
        """A program that runs `path` within the namespace."""
        self._wrapper.write_text(f'#!/bin/sh\nexec ip netns exec {self.name} {path} "$@"\n')
        self._wrapper.chmod(0o755)
        return self._wrapper

    def close(self) -> None:
        with self._process as process:
            process.kill()
        with contextlib.suppress(subprocess.CalledProcessError):
            run("ip", "netns", "delete", self.name)


def open_tun(name: str) -> int:
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    return device


def connect(name: str, net: str) -> tuple[int, int]:
    """Both devices with their addresses: the host's, and the namespace's."""
    here, there = open_tun(f"{name}-h"), open_tun(f"{name}-n")
    run("ip", "link", "set", f"{name}-n", "netns", name)
    run("ip", "addr", "add", f"{net}.1", "peer", f"{net}.2", "dev", f"{name}-h")
    run("ip", "link", "set", f"{name}-h", "up")
    run("ip", "-n", name, "addr", "add", f"{net}.2", "peer", f"{net}.1", "dev", f"{name}-n")
    run("ip", "-n", name, "link", "set", f"{name}-n", "up")
    run("ip", "-n", name, "route", "add", "default", "via", f"{net}.1")
    return here, there


def is_udp(packet: bytes) -> bool:
    return packet[0] >> 4 == 4 and packet[9] == UDP


def read_all(device: int) -> list[bytes]:
    found = []
    with contextlib.suppress(BlockingIOError):
        while True:
            found.append(os.read(device, 65_536))
    return found


def forward(here: int, there: int) -> None:
    """Carry packets until stdin ends."""
    other = {here: there, there: here}
    quality = Quality()
    waiting: list[tuple[float, int, int, bytes]] = []
    order = itertools.count()
    while True:
        pause = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        for ready in select.select([here, there, 0], [], [], pause)[0]:
            if ready == 0:
                if not (line := sys.stdin.readline()):
                    return
                quality = Quality(**json.loads(line))
                continue
            due = time.monotonic() + quality.delay
            for packet in read_all(ready):
                blocked = not quality.udp and is_udp(packet)
                if not blocked and random.random() >= quality.loss:
                    heapq.heappush(waiting, (due, next(order), other[ready], packet))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, device, packet = heapq.heappop(waiting)
            with contextlib.suppress(OSError):
                os.write(device, packet)


if __name__ == "__main__":
    ends = connect(sys.argv[1], sys.argv[2])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    forward(*ends)
