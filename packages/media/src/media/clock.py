"""The one timeline of a station: seconds since boot, and how they lie to the wall clock.

CLOCK_BOOTTIME never steps and never starts again while the machine is up, also not when a process
or an encoder restarts; it counts through suspend. See clock_gettime(2).
"""

import time
from collections.abc import Callable

VIDEO_TIMESCALE = 90_000
"""Ticks a second of video tracks: the RTP clock of RFC 6184."""

AUDIO_TIMESCALE = 48_000
"""Ticks a second of Opus tracks: RFC 7845 counts in 48 kHz whatever the input."""


_wall: Callable[[], float] = time.time


def follow(wall: Callable[[], float]) -> None:
    """Take Unix time (s) from there: from whoever knows when the system's is wrong."""
    global _wall
    _wall = wall


def boottime() -> float:
    """Seconds since boot (CLOCK_BOOTTIME)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def wall_offset() -> float:
    """What to add to boot seconds to get Unix seconds, now: it moves when the wall clock is set."""
    return _wall() - boottime()


def to_wall(boot: float) -> float:
    """Unix seconds of a moment given in boot seconds, by the wall clock as it stands now."""
    return boot + wall_offset()


def ticks(seconds: float, timescale: int) -> int:
    """Seconds as the nearest whole number of ticks."""
    return round(seconds * timescale)
