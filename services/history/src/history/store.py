"""Readings in SQLite: in memory first, on the disk a batch at a time, both in every answer."""

import contextlib
import json
import logging
import sqlite3
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bus.points import MEASUREMENTS, Measurement, Point

from . import schema

log = logging.getLogger(__name__)

FILE = "history.sqlite"
BUSY = 5.0
"""Seconds to wait for somebody else who looks into the file."""
PAGE = 1024
"""Bytes of a page: a batch touches one or two of each series, and each is written whole."""
CHECKPOINT = 4000
"""Pages after which SQLite writes its log back into the file: a page that many batches have touched
is written back once. The log grows to as many pages."""
KEPT = {kept.name: kept for kept in MEASUREMENTS.values()}


class Series:
    """The readings of one measurement with the same tags, and what is known of them."""

    def __init__(self, key: int, measurement: str, tags: dict[str, str]) -> None:
        self.key = key
        self.kept: Measurement = KEPT[measurement]
        self.tags = tags
        self.interval = self.kept.topic.every or 0.0
        """s between two readings, as they said last."""
        self.fields: set[str] = set()
        """Those that ever had a value."""
        self.rolled = 0
        """Unix time (ms) up to which there are windows."""

    def row(self) -> tuple[Any, ...]:
        """As the table has it."""
        about = (self.key, self.kept.name, sorted_json(self.tags), self.interval)
        return (*about, json.dumps(sorted(self.fields)), self.rolled)


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
        self.series: dict[tuple[str, str], Series] = {}
        self._most = most
        self._database: sqlite3.Connection | None = None
        self._changed: set[Series] = set()

    def open(self) -> None:
        """Open the file; a damaged one is put aside and a new one begun."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._open()
        except sqlite3.DatabaseError as error:
            if not is_broken(error):
                raise
            self.put_aside(error)
            self._open()

    def close(self) -> None:
        """Let go of the file, and of what is only in memory."""
        if self._database:
            self._database.close()
            self._database = None
        self.unwritten = 0

    def put_aside(self, error: Exception) -> None:
        """Let go of a damaged file and give it another name."""
        self.close()
        aside = f"{FILE}.broken-{int(time.time())}"
        log.error("%s: %s; moved to %s, beginning anew", self.path, error, aside)
        for end in ("", "-wal", "-shm"):
            part = self.path.with_name(FILE + end)
            if part.exists():
                part.rename(self.path.with_name(aside + end))

    @property
    def database(self) -> sqlite3.Connection:
        """The open file; raises sqlite3.OperationalError when it is not."""
        if self._database is None:
            raise sqlite3.OperationalError("the file is not open")
        return self._database

    def add(self, points: Iterable[tuple[Point, float | None]]) -> None:
        """Take readings, each with the seconds until the next one if it says so."""
        for point, interval in points:
            if (series := self._series_of(point)) is None:
                self.refused += 1
                continue
            self._learn(series, point, interval)
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
            rows = [series.row() for series in self._changed]
            database.executemany("INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?, ?, ?)", rows)
        self._changed.clear()
        self.unwritten = 0

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
        self.series = {
            (measurement, tags): known(key, measurement, tags, *about)
            for key, measurement, tags, *about in database.execute("SELECT * FROM series")
            if measurement in KEPT
        }
        self._changed.clear()

    def _series_of(self, point: Point) -> Series | None:
        name = point.measurement, sorted_json(point.tags)
        if name not in self.series:
            if len(self.series) >= self._most:
                return None
            key = 1 + max((series.key for series in self.series.values()), default=0)
            self.series[name] = Series(key, point.measurement, point.tags)
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


def known(
    key: int, measurement: str, tags: str, interval: float, fields: str, rolled: int
) -> Series:
    """A series as it is kept."""
    series = Series(key, measurement, json.loads(tags))
    series.interval, series.fields, series.rolled = interval, set(json.loads(fields)), rolled
    return series


def sorted_json(tags: dict[str, str]) -> str:
    """Tags as text, the same for the same."""
    return json.dumps(tags, sort_keys=True)


def is_broken(error: Exception) -> bool:
    """Whether the file is no database any more, other than a disk that refuses."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
