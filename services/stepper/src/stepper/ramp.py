"""The times between the pulses of a movement: a trapezoid of speed over the steps."""

from collections.abc import Iterator
from math import sqrt
from typing import NamedTuple


class Pace(NamedTuple):
    """Speeds in steps/s, acceleration in steps/s²."""

    start: float
    """The speed at which a movement begins and ends; the motor can do so without losing steps."""
    top: float
    acceleration: float

    @classmethod
    def of(
        cls, rpm: float, start_rpm: float, acceleration: float, steps_per_revolution: int
    ) -> "Pace":
        """From revolutions a minute, and those a second."""
        steps = steps_per_revolution / 60
        return cls(min(rpm, start_rpm) * steps, rpm * steps, acceleration * steps)

    def speed(self, done: int, left: int) -> float:
        """Steps/s after `done` steps, when `left` more are to come after the next.

        v² = v₀² + 2as, from either end, and never above the top.
        """
        return min(self.top, sqrt(self.start**2 + 2 * self.acceleration * min(done, left)))

    def intervals(self, steps: int) -> Iterator[float]:
        """Seconds from each pulse to the next, for as many pulses."""
        return (1 / self.speed(done, steps - 1 - done) for done in range(steps))
