"""What is kept how long: means of windows before readings go, by age and by size."""

import logging

from bus import wall_clock
from bus.jump import day
from bus.points import WINDOW

from . import schema
from .settings import History
from .store import Store

log = logging.getLogger(__name__)

DAY = 86_400
LATE = 60
"""Seconds after its end in which a window is not made, since readings may be under way."""
RUN = 86_400
"""Seconds of the past that are forgotten at once: a wrong clock has no more time to do harm."""
SLICE = 6 * 3600
"""Seconds of readings that make room at once."""


def tidy(store: Store, settings: History) -> None:
    """Make the windows that are due, and forget what is too old or does not fit any more.

    Age counts only while the clock is known and steady.
    """
    clock, now = wall_clock.CLOCK, wall_clock.now()
    if clock.state != "unset":
        roll(store, ms((now - LATE) // WINDOW * WINDOW))
    if clock.may_expire():
        expire(store, "", now, settings.days)
        expire(store, "_windows", now, settings.long_days)
    while size(store) > settings.max_bytes and make_room(store):
        pass


def expire(store: Store, tables: str, now: float, days: float) -> None:
    """Forget what is older, at most the oldest RUN of it: the rest has its turn the next times."""
    cutoff, oldest = ms(now - days * DAY), first(store, tables)
    if oldest is None or (before := min(cutoff, oldest + ms(RUN))) <= oldest:
        return
    if count := forget(store, tables, before):
        kind, setting = ("means", "long_days") if tables else ("readings", "days")
        span = f"{day(oldest / 1000)} to {day(before / 1000)}"
        log.info(
            "deleted %d %s of %s: older than history.%s = %g, at %s",
            *(count, kind, span, setting, days, day(now)),
        )


def roll(store: Store, until: int) -> None:
    """Make the windows up to a time (ms), of readings on the disk."""
    due = [s for s in store.series.values() if s.rolled < until and not s.boot]
    if not due:
        return
    with store.transaction() as database:
        for series in due:
            database.execute(schema.roll(series.kept), (series.key, series.rolled, until))
        database.executemany(
            "UPDATE series SET rolled = ? WHERE id = ?", [(until, series.key) for series in due]
        )
    for series in due:
        series.rolled = until


def forget(store: Store, tables: str, before: int, *, boots: bool = False) -> int:
    """Remove what is older (ms) from the tables of one kind: readings, or `_windows`; how many.

    With `boots` those readings that have no time, by the time since their boot.

    Whole windows go, since one may be made anew of its readings.
    """
    before -= before % schema.WIDE
    count = 0
    with store.transaction() as database:
        for series in store.series.values():
            if (series.boot is not None) != boots:
                continue
            table = f"main.{series.kept.name}{tables}"
            count += database.execute(
                f"DELETE FROM {table} WHERE series = ? AND moment < ?",
                (series.key, before),
            ).rowcount
    return count


def make_room(store: Store) -> bool:
    """Remove the oldest readings, or else the oldest windows, or else what has no time at all.

    False when there is nothing left.
    """
    for tables, boots in (("", False), ("_windows", False), ("", True)):
        if (oldest := first(store, tables, boots=boots)) is not None:
            forget(store, tables, oldest + ms(SLICE) + schema.WIDE, boots=boots)
            return True
    return False


def first(store: Store, tables: str, *, boots: bool = False) -> int | None:
    """Time (ms) of the oldest row of the tables of one kind; see `forget`."""
    ends = [
        store.end(series, f"main.{series.kept.name}{tables}", "ASC")
        for series in store.series.values()
        if (series.boot is not None) == boots
    ]
    return min((moment for moment in ends if moment is not None), default=None)


def size(store: Store) -> int:
    """Bytes of the file that are in use; what was freed is used again before it grows."""
    pages, free, each = (
        store.database.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * each)


def ms(seconds: float) -> int:
    """A Unix time in ms."""
    return round(seconds * 1000)
