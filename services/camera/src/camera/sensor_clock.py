"""Sensor time of rpicam-vid's pictures: it tells only times from the first one on.

The metadata file has, a moment after each picture, the absolute time of the same picture
(SensorTimestamp). Their difference is taken anew with every picture: rpicam-vid counts in wall
clock time where libcamera offers that, and a wall clock may be set.
"""

import os
import re
import time
from collections import deque
from pathlib import Path

from .clocks import ArrivalClock

_STAMP = re.compile(rb'"SensorTimestamp": (\d+)')
_CHUNK = 1 << 16
_MOST = 256
_PATIENCE_MS = 10


class SensorClock:
    """Follows one run of rpicam-vid; make it before that begins, since it empties the file."""

    def __init__(self, metadata: Path) -> None:
        self.believed = False
        self._path = metadata
        self._fd = -1
        self._position = 0
        self._rest = b""
        self._moments: deque[float] = deque(maxlen=_MOST)
        self._offset: float | None = None
        self._waits = True
        self._arrivals = ArrivalClock()
        if metadata.exists():
            os.truncate(metadata, 0)

    def capture(self, moment: float, arrival: float) -> float:
        """moment: seconds since the first picture; arrival: boot seconds, as is the result."""
        fallback = self._arrivals.capture(moment, arrival)
        self._moments.append(moment)
        self._follow()
        if self._offset is None:
            self._wait_for_the_first()
        taken = moment + self._offset if self._offset is not None else arrival + 1
        self.believed = -0.005 < arrival - taken < 2
        return min(taken, arrival) if self.believed else fallback

    def _wait_for_the_first(self) -> None:
        """The first record is written right behind the first time; without it time would leap."""
        for _ in range(_PATIENCE_MS if self._waits else 0):
            time.sleep(0.001)
            self._follow()
            if self._offset is not None:
                break
        self._waits = False

    def _follow(self) -> None:
        *lines, self._rest = (self._rest + self._read()).split(b"\n")
        for line in lines:
            if self._moments and (found := _STAMP.search(line)):
                self._offset = int(found[1]) / 1e9 - self._moments.popleft()

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
