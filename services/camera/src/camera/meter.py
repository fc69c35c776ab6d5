"""Measures what is really delivered: pictures and bits a second, time between key frames."""

from collections import deque

from bus import wall_clock
from media.clock import boottime

_WINDOW = 5.0
"""Seconds over which rates are taken."""
_LEAST = 0.5
"""Seconds below which a rate would mean nothing."""
_MOST = 1000


class Meter:
    """Rates of the last few seconds; None when nothing came in them."""

    def __init__(self) -> None:
        self._frames: deque[float] = deque(maxlen=_MOST)
        self._sizes: deque[tuple[float, int]] = deque(maxlen=_MOST)
        self._key: float | None = None
        self.key_interval: float | None = None
        self.last_frame: float | None = None
        """Unix seconds."""

    def begin(self) -> None:
        """A new encoder: rates across its start would mean nothing."""
        self._frames.clear()
        self._sizes.clear()
        self._key = self.key_interval = None

    def frame(self, capture: float, size: int, key: bool) -> None:
        """Count a picture (captured at boot seconds, size in bytes)."""
        now = boottime()
        self.last_frame = wall_clock.now()
        self._frames.append(now)
        self._sizes.append((now, size))
        if key:
            if self._key is not None and capture > self._key:
                self.key_interval = capture - self._key
            self._key = capture

    def sound(self, size: int) -> None:
        """Count a packet of sound (bytes)."""
        self._sizes.append((boottime(), size))

    @property
    def fps(self) -> float | None:
        """Pictures a second."""
        self._forget()
        frames = self._frames
        if len(frames) < 2 or frames[-1] - frames[0] < _LEAST:
            return None
        return (len(frames) - 1) / (frames[-1] - frames[0])

    @property
    def kbps(self) -> float | None:
        """kbit/s of all tracks."""
        self._forget()
        sizes = self._sizes
        if len(sizes) < 2 or sizes[-1][0] - sizes[0][0] < _LEAST:
            return None
        total = sum(size for _, size in sizes) - sizes[0][1]
        return total * 8 / 1000 / (sizes[-1][0] - sizes[0][0])

    def _forget(self) -> None:
        oldest = boottime() - _WINDOW
        while self._frames and self._frames[0] < oldest:
            self._frames.popleft()
        while self._sizes and self._sizes[0][0] < oldest:
            self._sizes.popleft()
