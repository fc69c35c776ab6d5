"""The software encoder of a Raspberry Pi 5: with threads, it keeps back a frame for each.

STANDIN_EMPTY, STANDIN_BARE: numbers of frames for which it gives no bytes, or parameter sets
without a picture, as the hardware encoder does at low bitrates (picamera2 below 0.3.26).
"""

import os
import time
from collections import deque
from pathlib import Path
from typing import Any

import clip  # type: ignore[import-not-found]


class H264Encoder:
    def __init__(
        self,
        bitrate: int | None = None,
        repeat: bool = True,
        iperiod: int = 30,
        framerate: float = 30,
        qp: int | None = None,
        profile: str | None = None,
    ) -> None:
        if profile != "baseline" or not repeat or not bitrate:
            raise RuntimeError(f"Profile {profile} not recognised")
        self.iperiod = iperiod
        self.framerate: Any = framerate
        self.threads = 0
        self.firsttimestamp: int | None = None
        self.output: Any = None
        self._units: list[bytes] = []
        self._waiting: deque[tuple[bytes, bool, int]] = deque()

    def prepare(self, width: int, height: int) -> None:
        # PyAV from version 13 on takes a rate for a fraction.
        rate = self.framerate.numerator / self.framerate.denominator
        self._units = clip.access_units(width, height, rate, self.iperiod, 1)

    def encode(self, number: int, taken: int) -> None:
        if self.firsttimestamp is None:
            self.firsttimestamp = taken
        with Path(os.environ.get("STANDIN_LOG", os.devnull)).open("a") as log:
            log.write(f"{time.clock_gettime(time.CLOCK_BOOTTIME)}\n")
        key = number % self.iperiod == 0
        unit = self._units[number % len(self._units)]
        if str(number) in os.environ.get("STANDIN_BARE", "").split(","):
            unit = self._units[0][: self._units[0].index(b"\0\0\1\x65")]
        if str(number) in os.environ.get("STANDIN_EMPTY", "").split(","):
            unit = b""
        self._waiting.append((unit, key, taken - self.firsttimestamp))
        while len(self._waiting) > (0 if self.threads == 1 else 3):
            self.output.outputframe(*self._waiting.popleft())
