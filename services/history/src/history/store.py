"""Readings in SQLite: in memory first, on the disk a batch at a time, both in every answer."""

import contextlib
import logging
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bus import sqlite_file
from bus.messages import BootTime
from bus.points import Point

from . import schema
from .boots import BOOT, Boots
from .series import KEPT, Series, known, sorted_json

log = logging.getLogger(__name__)

FILE = "history.sqlite"
BUSY = 5.0
"""Seconds to wait for somebody else who looks into the file."""
PAGE = 1024
"""Bytes of a page: a batch touches one or two of each series, and each is written whole."""
CHECKPOINT = 4000
"""Pages after which SQLite writes its log back into the file: a page that many batches have touched
is written back once. The log grows to as many pages."""
UNPLACED = 10
"""Times as many series without a time as with one: a station has some for each boot without."""


class Heard(NamedTuple):
    """A reading as it came: the seconds until the next one, and what there is besides its time."""

    point: Point
    interval: float | None = None
    boot_time: BootTime | None = None


class Store:
    """Everything that was measured. All methods block: use one thread.

    Every method raises sqlite3.Error or OSError when the disk does not take it; what was added
    stays in memory then.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self.path = folder / FILE
        self.unwritten = 0
        """Readings that are only in memory."""
        self.refused = 0
        """Readings of more series than `most`."""
        self.aside: Path | None = None
        """The damaged file that is to be read as far as it can be."""
        self.was_cut_off = False
        """Whether the last one who had the file open did not close it."""
        self.series: dict[tuple[str, str], Series] = {}
        self.boots = Boots()
        self._most = most
        self._database: sqlite3.Connection | None = None
        self._changed: set[Series] = set()

    def open(self) -> None:
        """Open the file; a damaged one is put aside and a new one begun."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.close()
        self.was_cut_off = sqlite_file.was_cut_off(self.path)
        try:
            sqlite_file.look(self.path)
            self._open()
        except sqlite3.DatabaseError as error:
            if not sqlite_file.is_damaged(error):
                raise
            self.put_aside(error)
            self._open()
        if self.aside and not self.series:
            self._bring_series(self.aside)

    def close(self) -> None:
        """Let go of the file, and of what is only in memory."""
        if self._database:
            self._database.close()
            self._database = None
        self.unwritten = 0

    def put_aside(self, error: Exception) -> None:
        """Let go of a damaged file and give it another name."""
        self.close()
        self.aside = sqlite_file.move_aside(self.path, error)

    @property
    def database(self) -> sqlite3.Connection:
        """The open file; raises sqlite3.OperationalError when it is not."""
        if self._database is None:
            raise sqlite3.OperationalError("the file is not open")
        return self._database

    @property
    def tables(self) -> list[str]:
        """Those that have rows by series and moment."""
        return [name + kind for kind in ("", "_windows") for name in KEPT]

    def columns(self, table: str) -> list[str]:
        """The columns of one of them."""
        return sqlite_file.columns(self.database, table)

    def bring(self, table: str, names: list[str], rows: list[tuple[Any, ...]]) -> int:
        """Keep rows of another file that are not there yet; how many."""
        marks = ", ".join("?" * len(names))
        into = f"INSERT OR IGNORE INTO main.{table} ({', '.join(map(schema.quoted, names))})"
        with self.transaction() as database:
            return database.executemany(f"{into} VALUES ({marks})", rows).rowcount

    def add(self, readings: Iterable[Heard]) -> None:
        """Take readings."""
        for heard in readings:
            point = self.boots.place(heard.point, heard.boot_time)
            if self._is_too_many(point):
                self.refused += 1
                continue
            series = self.series_of(point)
            self._learn(series, point, heard.interval)
            row = (series.key, point.moment, *map(point.fields.get, series.kept.fields))
            self.database.execute(schema.insert(series.kept), row)
            self.unwritten += 1

    def flush(self) -> None:
        """Write everything to the disk, synced, or nothing of it."""
        if not self.unwritten:
            return
        with self.transaction() as database:
            for kept in KEPT.values():
                database.execute(schema.move(kept))
                database.execute(f"DELETE FROM temp.{kept.name}")
            database.executemany(schema.KEEP, [series.row() for series in self._changed])
            self.boots.save(database)
        self._changed.clear()
        self.unwritten = 0

    def ends(self) -> tuple[float, float]:
        """Unix times (s) of the newest reading that somebody vouched for, and of the newest."""
        spans = [self.span(series) for series in self.series.values() if not series.boot]
        newest = max((span[1] for span in spans if span), default=0)
        doubtful = self.boots.begin()
        return (newest if doubtful is None else min(newest, doubtful)) / 1000, newest / 1000

    def span(self, series: Series) -> tuple[int, int] | None:
        """Time (ms) of the oldest and of the newest reading; None when there is none."""
        name = series.kept.name
        ends = [
            self.end(series, f"{place}.{name}", order)
            for place in ("main", "temp")
            for order in ("ASC", "DESC")
        ]
        moments = [moment for moment in ends if moment is not None]
        return (min(moments), max(moments)) if moments else None

    def end(self, series: Series, table: str, order: str) -> int | None:
        """Time (ms) of the first row of a series in a table: ASC the oldest, DESC the newest."""
        row = self.database.execute(
            f"SELECT moment FROM {table} WHERE series = ? ORDER BY moment {order} LIMIT 1",
            (series.key,),
        ).fetchone()
        return row and int(row[0])

    def forget(self, series: Series) -> None:
        """A series whose readings have gone to another one."""
        del self.series[series.kept.name, sorted_json(series.tags)]
        self._changed.discard(series)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, synced at its end."""
        database = self.database
        database.execute("BEGIN IMMEDIATE")
        try:
            yield database
            database.execute("COMMIT")
        except BaseException:
            # A disk that refuses has often rolled back already.
            with contextlib.suppress(sqlite3.Error):
                database.execute("ROLLBACK")
            raise

    def _open(self) -> None:
        self.close()
        database = self._database = sqlite3.connect(
            self.path, timeout=BUSY, check_same_thread=False, isolation_level=None
        )
        for pragma in (
            f"page_size = {PAGE}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "temp_store = MEMORY",
            f"wal_autocheckpoint = {CHECKPOINT}",
        ):
            database.execute(f"PRAGMA {pragma}")
        schema.prepare(database)
        self._load()

    def _load(self) -> None:
        database = self.database
        self.series = {
            (measurement, tags): known(key, measurement, tags, *about)
            for key, measurement, tags, *about in database.execute("SELECT * FROM series")
            if measurement in KEPT
        }
        self.boots.load(database)
        self._changed.clear()

    def _bring_series(self, aside: Path) -> None:
        """What the rows of a damaged file refer to: they follow later, while the service works."""
        with contextlib.closing(sqlite_file.damaged(aside)) as source:
            for table, key in (("series", "id"), ("boots", "boot"), ("unconfirmed", "boot")):
                names = sqlite_file.columns(source, table)
                for rows in sqlite_file.readable(source, table, names, (key,)) if names else ():
                    self.bring(table, names, rows)
        self._load()

    def _is_too_many(self, point: Point) -> bool:
        if (point.measurement, sorted_json(point.tags)) in self.series:
            return False
        without = BOOT in point.tags
        there = sum((series.boot is not None) == without for series in self.series.values())
        return there >= self._most * (UNPLACED if without else 1)

    def series_of(self, point: Point) -> Series:
        """The series of a reading, made if there is none."""
        name = point.measurement, sorted_json(point.tags)
        if name not in self.series:
            key = 1 + max((series.key for series in self.series.values()), default=0)
            self.series[name] = Series(key, point.measurement, point.tags)
            self._changed.add(self.series[name])
        return self.series[name]

    def _learn(self, series: Series, point: Point, interval: float | None) -> None:
        window = point.moment // schema.WIDE * schema.WIDE
        interval = interval or series.interval
        if (
            point.fields.keys() <= series.fields
            and interval == series.interval
            and window >= series.rolled
        ):
            return
        series.fields |= point.fields.keys()
        series.interval = interval
        series.rolled = min(series.rolled, window)
        self._changed.add(series)
