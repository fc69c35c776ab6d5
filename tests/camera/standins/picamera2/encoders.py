"""The software encoder of a Raspberry Pi 5: with threads, it keeps back a frame for each."""

import os
import time
from collections import deque

import clip


class H264Encoder:
    def __init__(self, bitrate=None, repeat=True, iperiod=30, framerate=30, qp=None, profile=None):
        if profile != "baseline" or not repeat or not bitrate:
            raise RuntimeError(f"Profile {profile} not recognised")
        self.iperiod = iperiod
        self.framerate = framerate
        self.threads = 0
        self.firsttimestamp = None
        self.output = None
        self._units = []
        self._waiting = deque()

    def prepare(self, width, height):
        self._units = clip.access_units(width, height, self.framerate, self.iperiod, 1)

    def encode(self, number, taken):
        if self.firsttimestamp is None:
            self.firsttimestamp = taken
        with open(os.environ.get("STANDIN_LOG", os.devnull), "a") as log:
            log.write(f"{time.clock_gettime(time.CLOCK_BOOTTIME)}\n")
        key = number % self.iperiod == 0
        unit = self._units[number % len(self._units)]
        self._waiting.append((unit, key, taken - self.firsttimestamp))
        while len(self._waiting) > (0 if self.threads == 1 else 3):
            self.output.outputframe(*self._waiting.popleft())
