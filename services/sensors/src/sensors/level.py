"""Loudness of 16 bit samples: RMS and peak in dBFS, where a full-scale sine is -3.01 RMS."""

import math
from typing import NamedTuple

from bus import wall_clock

FULL_SCALE = 32768
SAMPLE = 2
"""Bytes of a sample."""

FLOOR = -150.0
"""dBFS that stand for digital silence, whose logarithm does not exist."""


class Level(NamedTuple):
    """The loudness of a stretch of sound."""

    ended_at: float
    """Unix time (s) at which the last sample arrived."""
    rms: float
    """dBFS"""
    peak: float
    """dBFS"""


class Meter:
    """Takes samples as they come (S16, native order, mono); gives the level since it last did."""

    def __init__(self, simulated: bool = False) -> None:
        self.simulated = simulated
        """Whether what is heard is made up."""
        self._odd = b""
        self._energy = 0.0
        self._peak = self._count = 0
        self._ended_at = 0.0

    def add(self, data: bytes) -> None:
        """Count in what was heard; half a sample at the end waits for its other half."""
        data = self._odd + data
        whole = len(data) - len(data) % SAMPLE
        self._odd = data[whole:]
        if whole:
            samples = memoryview(data)[:whole].cast("h")
            # hypot adds the squares in C, without a temporary list of them
            self._energy += math.hypot(*samples) ** 2
            self._peak = max(self._peak, max(samples), -min(samples))
            self._count += len(samples)
            self._ended_at = wall_clock.now()

    def take(self) -> Level | None:
        """The level since the last call; None when nothing was heard."""
        if not self._count:
            return None
        rms = math.sqrt(self._energy / self._count)
        level = Level(self._ended_at, decibels(rms), decibels(self._peak))
        self._energy, self._peak, self._count = 0.0, 0, 0
        return level

    def restart(self) -> None:
        """Forget half a sample of a source that has ended."""
        self._odd = b""


def decibels(amplitude: float) -> float:
    """An amplitude in sample values as dBFS."""
    return 20 * math.log10(amplitude / FULL_SCALE) if amplitude > 0 else FLOOR
