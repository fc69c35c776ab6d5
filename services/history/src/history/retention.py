"""What is kept how long: means of windows before readings go, by age and by size."""

import time

from bus.points import WINDOW

from . import schema
from .settings import History
from .store import Store

DAY = 86_400
LATE = 60
"""Seconds after its end in which a window is not made, since readings may be under way."""
SLICE = 6 * 3600
"""Seconds of readings that make room at once."""


def tidy(store: Store, settings: History) -> None:
    """Make the windows that are due, and forget what is too old or does not fit any more."""
    now = time.time()
    roll(store, ms((now - LATE) // WINDOW * WINDOW))
    forget(store, "", ms(now - settings.days * DAY))
    forget(store, "_windows", ms(now - settings.long_days * DAY))
    while size(store) > settings.max_bytes and make_room(store):
        pass


def roll(store: Store, until: int) -> None:
    """Make the windows up to a time (ms), of readings on the disk."""
    due = [series for series in store.series.values() if series.rolled < until]
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


def forget(store: Store, tables: str, before: int) -> None:
    """Remove what is older (ms) from the tables of one kind: readings, or `_windows`.

    Whole windows go, since one may be made anew of its readings.
    """
    before -= before % schema.WIDE
    with store.transaction() as database:
        for series in store.series.values():
            table = f"main.{series.kept.name}{tables}"
            database.execute(
                f"DELETE FROM {table} WHERE series = ? AND moment < ?",
                (series.key, before),
            )


def make_room(store: Store) -> bool:
    """Remove the oldest readings, or else the oldest windows; False when there is nothing left."""
    for tables in ("", "_windows"):
        if (oldest := first(store, tables)) is not None:
            forget(store, tables, oldest + ms(SLICE) + schema.WIDE)
            return True
    return False


def first(store: Store, tables: str) -> int | None:
    """Time (ms) of the oldest row of the tables of one kind."""
    ends = [
        store.end(series, f"main.{series.kept.name}{tables}", "ASC")
        for series in store.series.values()
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
