"""Readings get the time that they lacked, or a better one."""

import logging

from bus.jump import day
from bus.points import Point

from . import schema
from .boots import BOOT, SAME, Span
from .series import Series
from .store import Store

log = logging.getLogger(__name__)


def settle(store: Store) -> None:
    """Move everything whose time is known by now; everything has been flushed."""
    boots = store.boots
    without = {series.boot for series in store.series.values() if series.boot}
    doubtful = without | {span.boot for span in boots.spans}
    if doubtful:
        boots.ask()
    for boot in sorted(doubtful & boots.offsets.keys()):
        for series in [one for one in store.series.values() if one.boot == boot]:
            place(store, series, boots.offsets[boot])
        for span in [span for span in boots.spans if span.boot == boot]:
            correct(store, span, boots.offsets[boot] - span.offset)
        boots.settled(boot)
        with store.transaction() as database:
            boots.save(database)


def place(store: Store, series: Series, offset: int) -> None:
    """Give the readings of a series without a time theirs; `offset` in ms."""
    tags = {name: value for name, value in series.tags.items() if name != BOOT}
    name, table = series.kept.name, f"main.{series.kept.name}"
    with store.transaction() as database:
        count, first, last = database.execute(
            f"SELECT count(*), min(moment), max(moment) FROM {table} WHERE series = ?",
            (series.key,),
        ).fetchone()
        if count:
            real = store.series_of(Point(name, tags, {}, 0))
            database.execute(
                schema.shift(series.kept, table), (real.key, offset, series.key, 0, last)
            )
            real.fields |= series.fields
            real.interval = series.interval
            real.rolled = min(real.rolled, window(first + offset))
            database.execute(schema.KEEP, real.row())
        database.execute(f"DELETE FROM {table} WHERE series = ?", (series.key,))
        database.execute("DELETE FROM series WHERE id = ?", (series.key,))
    store.forget(series)
    if count:
        begin, end = ((moment + offset) / 1000 for moment in (first, last))
        log.info("%s: %d readings got their time: %s to %s", name, count, day(begin), day(end))


def correct(store: Store, span: Span, by: int) -> None:
    """Move the readings of a span (ms), whose time turned out to be wrong by so much."""
    if abs(by) < SAME:
        return
    moved = 0
    for series in store.series.values():
        if series.boot or series.tags["station"] != span.station:
            continue
        moved += move(store, series, span, by)
    begin, end = day(span.first / 1000), day(span.last / 1000)
    log.warning("%d readings of %s to %s are moved by %.0f s", moved, begin, end, by / 1000)


def move(store: Store, series: Series, span: Span, by: int) -> int:
    """Those of one series, and their means; how many there were."""
    name, about = series.kept.name, (series.key, span.first, span.last)
    with store.transaction() as database:
        count, first = database.execute(
            f"SELECT count(*), min(moment) FROM main.{name} "
            "WHERE series = ? AND moment BETWEEN ? AND ?",
            about,
        ).fetchone()
        if not count:
            return 0
        # By way of memory, since old and new times may overlap.
        database.execute(schema.shift(series.kept, f"temp.{name}"), (series.key, by, *about))
        database.execute(
            f"DELETE FROM main.{name} WHERE series = ? AND moment BETWEEN ? AND ?", about
        )
        database.execute(schema.move(series.kept))
        database.execute(f"DELETE FROM temp.{name}")
        database.execute(
            f"DELETE FROM main.{name}_windows WHERE series = ? AND moment BETWEEN ? AND ?",
            (series.key, window(first), span.last),
        )
        series.rolled = min(series.rolled, window(first), window(first + by))
        database.execute(schema.KEEP, series.row())
    return int(count)


def window(moment: int) -> int:
    """The beginning (ms) of the window in which a time lies."""
    return moment // schema.WIDE * schema.WIDE
