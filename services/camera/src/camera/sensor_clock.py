"""Sensor time of rpicam-vid's pictures: it tells only times from the first one on.

The metadata file has the absolute times of the first picture, so that every later one is known by
its distance from that. Records are not counted: where the encoder loses a frame, each one behind it
comes later by a frame than the picture that it belongs to.

rpicam-vid counts in wall clock time where libcamera offers that (FrameWallClock), and a wall clock
may be set: how far it is from the sensor's clock is taken anew from each record.
"""

import os
import re
import time
from pathlib import Path

from .clocks import ArrivalClock

_STAMP = re.compile(rb'"(SensorTimestamp|FrameWallClock)": (\d+)')
_SENSOR, _WALL = b"SensorTimestamp", b"FrameWallClock"
_CHUNK = 1 << 16
_PATIENCE_MS = 10


class SensorClock:
    """Follows one run of rpicam-vid; make it before that begins, since it empties the file."""

    def __init__(self, metadata: Path) -> None:
        self.believed = False
        self._path = metadata
        self._fd = -1
        self._position = 0
        self._rest = b""
        self._first: dict[bytes, float] = {}
        self._record: dict[bytes, float] = {}
        self._begun: float | None = None
        self._waits = True
        self._sensor_minus_wall: float | None = None
        self._arrivals = ArrivalClock()
        if metadata.exists():
            os.truncate(metadata, 0)

    def capture(self, moment: float, arrival: float) -> float:
        """moment: seconds since the first picture; arrival: boot seconds, as is the result."""
        if self._begun is None:
            self._begun = moment
        fallback = self._arrivals.capture(moment, arrival)
        self._follow()
        if not self._first:
            self._wait_for_the_first()
        taken = self._taken(moment - self._begun)
        self.believed = taken is not None and -0.005 < arrival - taken < 2
        return min(taken, arrival) if self.believed and taken is not None else fallback

    def _taken(self, since: float) -> float | None:
        if _WALL in self._first and self._sensor_minus_wall is not None:
            return self._first[_WALL] + since + self._sensor_minus_wall
        return self._first[_SENSOR] + since if _SENSOR in self._first else None

    def _wait_for_the_first(self) -> None:
        """The first record is written right behind the first time; without it time would leap."""
        for _ in range(_PATIENCE_MS if self._waits else 0):
            time.sleep(0.001)
            self._follow()
            if self._first:
                break
        self._waits = False

    def _follow(self) -> None:
        *lines, self._rest = (self._rest + self._read()).split(b"\n")
        for line in lines:
            if line.endswith(b"{"):
                self._record = {}
            elif found := _STAMP.search(line):
                self._record[found[1]] = int(found[2]) / 1e9
                # The record may not be complete yet: what is the first one grows with it.
                self._first = self._first or self._record
                if len(self._record) == 2:
                    self._sensor_minus_wall = self._record[_SENSOR] - self._record[_WALL]

    def _read(self) -> bytes:
        try:
            if self._fd < 0:
                self._fd = os.open(self._path, os.O_RDONLY)
            data = os.pread(self._fd, _CHUNK, self._position)
        except OSError:
            return b""  # no metadata, then no sensor time: `believed` says so
        self._position += len(data)
        return data

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
