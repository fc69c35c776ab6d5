"""SQLite files on disks that fail: checked, moved aside when damaged, read as far as they can be.

The one code for every service that keeps a database. Nothing here deletes a file.
https://www.sqlite.org/fileformat2.html, https://www.sqlite.org/pragma.html#pragma_quick_check
"""

import asyncio
import contextlib
import logging
import os
import sqlite3
import struct
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from . import wall_clock

log = logging.getLogger(__name__)

MAGIC = b"SQLite format 3\0"
HEADER = struct.Struct(">16sH6xII60xI")
"""Magic, page size, change counter, count of pages, and the change counter for which that holds."""
ENDS = ("", "-wal", "-shm")
"""Of the names of the files that are one database."""
ASIDE = "broken"
BATCH = 500
"""Rows that are brought over at once, so that the service goes on meanwhile."""
IDLE = 19
"""The niceness of a check: everything else goes first."""


class DamagedError(sqlite3.DatabaseError):
    """The file is no whole database; the text says why."""


def is_damaged(error: Exception) -> bool:
    """Whether the file is no database any more, other than a disk that refuses."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    damaged = code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    return damaged or isinstance(error, DamagedError)


def was_cut_off(path: Path) -> bool:
    """Before it is opened: whether whoever had it did not close it; SQLite removes its log then."""
    return path.with_name(path.name + "-wal").exists()


def look(path: Path) -> None:
    """Before it is opened: raises DamagedError for what its first bytes tell, or OSError.

    Without its log a file must be as long as it says. SQLite would take an empty one for a new one.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(HEADER.size)
    except FileNotFoundError:
        return
    if not size:
        raise DamagedError("the file is empty")
    if len(head) < HEADER.size or not head.startswith(MAGIC):
        raise DamagedError("the file is not a database")
    _, page, changed, pages, valid_for = HEADER.unpack(head)
    whole = pages * (65_536 if page == 1 else page)
    if changed == valid_for and size < whole and not was_cut_off(path):
        raise DamagedError(f"the file is cut off: {size} of {whole} bytes")


async def check(path: Path) -> str | None:
    """What is wrong with an open file, in words; None when nothing is, or when it cannot be read.

    Takes minutes for a gigabyte, in a thread of the lowest priority; cancelling ends it.
    """
    # A thread of its own, since it cannot have its priority back.
    thread = ThreadPoolExecutor(1, "check")
    database = read_only(path)
    try:
        return await asyncio.get_running_loop().run_in_executor(thread, quick_check, database)
    except asyncio.CancelledError:
        database.interrupt()
        raise
    finally:
        thread.submit(database.close)
        thread.shutdown(wait=False)


def quick_check(database: sqlite3.Connection) -> str | None:
    """The check itself, blocking."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), IDLE)
    try:
        (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        return str(error) if is_damaged(error) else None
    return None if found == "ok" else " ".join(str(found).split())


def move_aside(path: Path, why: object) -> Path:
    """Give a damaged file, which nobody has open, another name beside it; raises OSError."""
    stem = f"{path.name}.{ASIDE}-{int(wall_clock.now())}"
    count = sum(1 for other in path.parent.glob(f"{stem}*") if not other.name.endswith(ENDS[1:]))
    aside = path.with_name(f"{stem}-{count}" if count else stem)
    log.error("%s: %s; moved to %s, beginning anew", path, why, aside.name)
    for end in ENDS:
        part = path.with_name(path.name + end)
        if part.exists():
            part.rename(aside.with_name(aside.name + end))
    return aside


def asides(folder: Path) -> list[Path]:
    """The damaged files of a folder that were moved aside, oldest first."""
    found = folder.glob(f"*.sqlite.{ASIDE}-*")
    return sorted(path for path in found if not path.name.endswith(ENDS[1:]))


def read_only(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing, to be used by one thread after the other."""
    name = f"{path.absolute().as_uri()}?mode=ro"
    return sqlite3.connect(name, uri=True, check_same_thread=False)


def damaged(path: Path) -> sqlite3.Connection:
    """The same for a file that was moved aside: SQLite refuses one that is cut off, otherwise."""
    database = read_only(path)
    with contextlib.suppress(sqlite3.Error):
        database.execute("PRAGMA writable_schema = ON")
    return database


def readable(
    database: sqlite3.Connection, table: str, columns: Sequence[str], key: Sequence[str]
) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a damaged table that can be read, BATCH by BATCH; some of them twice.

    In the order of its key up to the first damage, then from the end back to the last one.
    """
    names = ", ".join(f'"{column}"' for column in columns)
    for order in ("ASC", "DESC"):
        batch: list[tuple[Any, ...]] = []
        ordered = ", ".join(f"{column} {order}" for column in key)
        try:
            for row in database.execute(f"SELECT {names} FROM {table} ORDER BY {ordered}"):
                batch.append(row)
                if len(batch) >= BATCH:
                    yield batch
                    batch = []
        except sqlite3.Error:
            if batch:
                yield batch
            continue
        if batch:
            yield batch
        return


def columns(database: sqlite3.Connection, table: str) -> list[str]:
    """The names of a table's columns; none where there is no such table, or no reading it."""
    try:
        return [row[1] for row in database.execute(f'PRAGMA table_info("{table}")')]
    except sqlite3.Error:
        return []
