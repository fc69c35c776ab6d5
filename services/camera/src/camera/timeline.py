"""The time of a source without its leaps: what players, encoders and the pace can go by."""

from .delays import Delays, Rhythm

_LONGEST = 10.0
"""Seconds between two pictures of a source that runs: a longer step is a leap of its clock."""
_AGREES = 2.0
"""Seconds by which a long step may differ from the pause in which nothing arrived."""
_REORDERED = 1.0
"""Seconds that a step may go back where pictures are coded in another order than shown."""
_LATEST = 0.2
"""Seconds of jitter that are levelled out where arrival is all there is."""


class Timeline:
    """Gives each picture a time that goes on evenly, whatever the source's clock does.

    A clock that leaps, wraps or begins anew goes on by the usual step. `timed` is false where the
    container has no times: the rhythm of the arrivals takes their place. While it is `opening`
    nothing can be told from arrivals: all that waited comes at once.
    """

    def __init__(self, *, timed: bool, reorders: bool = False, window: float = 6.0) -> None:
        self.opening = self.spread = False
        self._guess: float | None = None
        self._timed = timed
        self._reorders = reorders
        self._pts: float | None = None
        self._arrival = 0.0
        self._now = 0.0
        self.rhythm = Rhythm()
        self._clock = Delays(window)

    def observe(self, pts: float | None, arrival: float) -> float:
        """The time of the next picture, seconds from the first; pts: seconds of its own clock."""
        gap = arrival - self._arrival
        first = self._pts is None
        if not first:
            self._now += self._step(pts, gap)
        self._pts = pts if pts is not None else self._pts or 0.0
        self._arrival = arrival
        if self._timed or not self.opening:
            self._clock.observe(self._now, arrival)
        return self._now

    def opened(self, moments: list[float], seconds: float) -> list[float]:
        """The times of what came at once at the opening, which took so many seconds.

        Where the container has no times, they are spread evenly over it.
        """
        self.opening = False
        if self._timed:
            return moments
        self._guess = step = seconds / max(1, len(moments))
        self._now = step * (len(moments) - 1)
        self._clock.observe(self._now, self._arrival)
        return [step * number for number in range(len(moments))]

    def capture(self, moment: float, now: float) -> float:
        """When that picture was taken (boot seconds; `now` too, which it never exceeds)."""
        capture = self._clock.at(moment, now)
        return capture if self._timed or self.spread else max(capture, self._arrival - _LATEST)

    def _step(self, pts: float | None, gap: float) -> float:
        step = None if pts is None or self._pts is None else pts - self._pts
        if not self._timed and self.opening:
            return 0.0
        if not self._timed:
            if self._guess is not None:
                # The first gap behind the opening is cut off by it.
                gap, self._guess = self._guess, None
                return gap
            self.rhythm.add(gap)
            return self.rhythm.mean or gap
        if step is None or not self._plausible(step, gap):
            return self.rhythm.usual or min(gap, _LONGEST)
        # Of reordered pictures all steps count, those back too: their mean is the true one.
        self.rhythm.add(step)
        return step

    def _plausible(self, step: float, gap: float) -> bool:
        if step <= 0:
            return self._reorders and step > -_REORDERED
        return step <= _LONGEST or abs(step - gap) < _AGREES
