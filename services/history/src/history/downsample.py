"""From readings to what fits on a screen: buckets of one width, gaps where nothing came."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bus.messages import HistorySeries
from bus.points import WINDOW

WIDTHS = (
    *(100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000),
    *(WINDOW * 1000 * n for n in (1, 2, 3, 6, 12, 24, 36, 72, 144)),
)
"""ms, up to half a day. From WINDOW on each is a multiple of it, so that windows fit in."""
DAY = 86_400_000
MISSED = 3
"""Intervals without a reading that make a gap, as they make a reading stale."""


class Bucket(NamedTuple):
    """The readings between `number * width` and the next one; times in ms."""

    number: int
    moment: float
    """The mean of their times."""
    mean: float
    min: float
    max: float


def width(start: int, end: int, points: int) -> int:
    """The least width (ms) that makes at most so many buckets of a span, of some that are round.

    Being round, buckets stay what they are while somebody moves along the time.
    """
    # One bucket may be cut by the beginning of the span, and another one by its end.
    least = (end - start) / max(1, points - 1)
    return next((w for w in WIDTHS if w >= least), DAY * max(1, -int(-least // DAY)))


def series(buckets: Iterable[Bucket], width: int, interval: float) -> HistorySeries:
    """The columns of a chart; `interval`: s after which the next reading is due."""
    rows = list(with_gaps(buckets, MISSED * interval * 1000))
    return HistorySeries(
        step=width / 1000,
        timestamps=[row.moment / 1000 for row in rows],
        mean=[value(row.mean) for row in rows],
        min=[value(row.min) for row in rows],
        max=[value(row.max) for row in rows],
    )


def merged(buckets: Iterable[Bucket]) -> list[Bucket]:
    """In order of time; of two that have the same number the one with the later readings."""
    return sorted({bucket.number: bucket for bucket in sorted(buckets)}.values())


def with_gaps(buckets: Iterable[Bucket], patience: float) -> Iterator[Bucket]:
    """The same with one bucket of NaN wherever nothing came for longer than `patience` (ms)."""
    last: Bucket | None = None
    for bucket in buckets:
        if last and bucket.number > last.number + 1 and bucket.moment - last.moment > patience:
            nothing = float("nan")
            yield Bucket(last.number + 1, (last.moment + bucket.moment) / 2, *[nothing] * 3)
        yield bucket
        last = bucket


def value(number: float) -> float | None:
    """A number with as many digits as a chart needs; None where there is none."""
    return None if number != number else float(f"{number:.7g}")
