"""Who steers: one operator at a time, until they let go or are silent for long enough."""

from collections.abc import Callable
from time import monotonic

from bus import wall_clock
from bus.messages import StepperLease

from .judge import No

FREE = StepperLease(holder=None, until=None)


class Lease:
    """Held by whoever enables the motor; renewed by each of their commands."""

    def __init__(self, seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._holder: str | None = None
        self._until = 0.0
        self._shown: StepperLease = FREE

    @property
    def holder(self) -> str | None:
        """The operator who steers; None when it is free or has run out."""
        return self._holder if self.left > 0 else None

    @property
    def left(self) -> float:
        """Seconds until it runs out."""
        return max(0.0, self._until - self._clock()) if self._holder else 0.0

    def take(self, operator: str) -> None:
        """Hold it from now on for its whole time; raises No when another has it."""
        if (holder := self.holder) not in (None, operator):
            raise No("held", f"{holder} steers the motor; free in {self.left:.0f} s at the latest")
        self._holder, self._until = operator, self._clock() + self._seconds
        # Reckoned once: two clocks that are read one after the other never tell the same again.
        self._shown = StepperLease(holder=operator, until=wall_clock.now() + self._seconds)

    def give(self) -> None:
        """Nobody holds it any more."""
        self._holder = None

    def message(self) -> StepperLease:
        """What the page shows of it."""
        return self._shown if self.holder else FREE
