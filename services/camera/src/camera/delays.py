"""When a picture was captured, by the times at which pictures arrive."""

from collections import deque
from dataclasses import dataclass
from statistics import fmean, median

_BUCKET = 0.5
_PLAIN = 0.005
"""A rate that is wrong by less is within what a window levels out anyhow: 100 ppm is 0.0001."""
_STEEPEST = 1.0
_SLEW = 0.1
"""Seconds a second by which a lateness that stays becomes the normal one, unseen."""
_FAR = 0.15
"""Seconds: a lateness that stays and is larger is taken over at once."""


@dataclass(slots=True)
class _Quickest:
    """The least delay of a stretch of time, and when it was."""

    begin: float
    at: float
    delay: float
    count: int = 1


class Delays:
    """Lays a source's own time on the arrivals of those pictures that came quickest.

    So a burst keeps the rhythm in which it was filmed, and nothing lies in the future. The delay
    (arrival less the source's time) of the quickest pictures of the last `window` seconds is that
    of all. If it rises all the time, the source's clock is slow and its rate is taken into account;
    if it falls, the clock is fast, and each picture is the quickest so far.
    """

    def __init__(self, window: float = 6.0) -> None:
        self._window = window
        self._buckets: deque[_Quickest] = deque()
        self._offset: float | None = None
        self._last = 0.0

    def at(self, source: float, now: float) -> float:
        """The moment of a time of the source, never later than `now`, which is boot seconds."""
        return min(source + (self._offset or 0.0), now)

    def observe(self, source: float, arrival: float) -> None:
        """Learn from one arrival. source: seconds of its clock; arrival: boot seconds."""
        self._sort_in(arrival, arrival - source)
        slope = self._slope()
        target = min(each.delay + slope * (arrival - each.at) for each in self._buckets)
        if self._offset is not None:
            passed = min(max(0.0, arrival - self._last), 1.0)
            ahead = target - self._offset - slope * passed
            if 0 < ahead < _FAR:
                target -= max(0.0, ahead - _SLEW * passed)
        self._offset, self._last = target, arrival

    def _sort_in(self, arrival: float, delay: float) -> None:
        buckets = self._buckets
        while len(buckets) > 1 and buckets[1].begin < arrival - self._window:
            buckets.popleft()
        if not buckets or arrival >= buckets[-1].begin + _BUCKET:
            if buckets and buckets[0].begin < arrival - 2 * self._window:
                buckets.clear()
            buckets.append(_Quickest(arrival, arrival, delay))
            return
        newest = buckets[-1]
        newest.count += 1
        if delay <= newest.delay:
            newest.at, newest.delay = arrival, delay

    def _slope(self) -> float:
        """By how much delays grow a second: the quickest of the newer half against the older."""
        buckets = self._buckets
        half = len(buckets) // 2
        if half < 2 or sum(each.count for each in buckets) < 8:
            return 0.0
        seen = list(buckets)
        old, new = (min(part, key=lambda b: b.delay) for part in (seen[:half], seen[half:]))
        slope = (new.delay - old.delay) / max(new.at - old.at, self._window / 4)
        return min(_STEEPEST, slope) if slope > _PLAIN else 0.0


class Rhythm:
    """The step between pictures (seconds), by the last few."""

    def __init__(self, count: int = 25) -> None:
        self._steps: deque[float] = deque(maxlen=count)

    def add(self, step: float) -> None:
        """Take one more step."""
        self._steps.append(step)

    @property
    def count(self) -> int:
        """How many steps it knows."""
        return len(self._steps)

    @property
    def usual(self) -> float | None:
        """The median: what is lost or late does not move it. None before the first step."""
        return median(self._steps) if self._steps else None

    @property
    def mean(self) -> float | None:
        """Jitter levels out in it. None before the first step."""
        return fmean(self._steps) if self._steps else None
