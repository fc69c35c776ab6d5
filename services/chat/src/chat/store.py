"""The conversation on disk: what was accepted survives the death of everything else."""

import contextlib
import secrets
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from bus import sqlite_file, wall_clock
from bus.messages import BootTime, ChatMessage, ChatSend

FILE = "chat.sqlite"
SCHEMA = """
CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    username TEXT NOT NULL,
    message TEXT,
    timestamp REAL NOT NULL,
    boot_time TEXT
);
"""
NEWER = ("ALTER TABLE messages ADD COLUMN boot_time TEXT",)
"""What makes the tables of an older version those of this one; `user_version` counts them."""
READ = "SELECT number, id, username, message, timestamp, boot_time FROM messages ORDER BY number"
LAST = "SELECT seq FROM sqlite_sequence WHERE name = 'messages'"
ADD = "INSERT INTO messages (id, username, message, timestamp, boot_time) VALUES (?, ?, ?, ?, ?)"
BUSY = 2.0
"""Seconds to wait for somebody else who looks into the file."""


class Row(NamedTuple):
    """One message as it is kept; `message` is None once it is deleted."""

    number: int
    id: str
    username: str
    message: str | None
    timestamp: float
    boot_time: str | None = None
    """While the time is not known: a BootTime as JSON, by which it will be."""

    @property
    def since_boot(self) -> BootTime | None:
        """The same, read."""
        return None if self.boot_time is None else BootTime.model_validate_json(self.boot_time)

    def said(self) -> ChatMessage | None:
        """As it goes over the bus; None when it is deleted."""
        if self.message is None:
            return None
        return ChatMessage(
            id=self.id,
            number=self.number,
            username=self.username,
            message=self.message,
            timestamp=self.timestamp,
            boot_time=self.since_boot,
        )


class Kept(NamedTuple):
    """Everything that is on disk."""

    conversation: str
    last: int
    rows: list[Row]


class Store:
    """SQLite that is synced to the disk at every commit. All methods block: use a thread.

    Every method raises sqlite3.Error or OSError when the disk does not take it; nothing of that
    change is kept then.
    """

    def __init__(self, folder: Path, start: str, keep: bool, remembered: int) -> None:
        self.path = folder / FILE
        self.was_cut_off = False
        """Whether the last one who had the file open did not close it."""
        self.remark: str | None = None
        """What is to be said of damaged files, in words."""
        self._start = start
        self._keep = keep
        self._remembered = remembered
        self._database: sqlite3.Connection | None = None

    def open(self) -> Kept:
        """Open, begin anew if the station did, and read everything."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.close()
        self.was_cut_off = sqlite_file.was_cut_off(self.path)
        if beside := sqlite_file.asides(self.path.parent):
            names = ", ".join(path.name for path in beside)
            self.remark = f"damaged before: {names}; remove what you need no more"
        try:
            sqlite_file.look(self.path)
            return self._open()
        except sqlite3.DatabaseError as error:
            if not sqlite_file.is_damaged(error):
                raise
            return self.begin_anew(error)

    def begin_anew(self, error: Exception) -> Kept:
        """Move the damaged file aside, and go on with what can be read of it."""
        self.close()
        aside = sqlite_file.move_aside(self.path, error)
        kept = self._open(aside)
        self.remark = f"a damaged file is now {aside.name}; {len(kept.rows)} messages of it go on"
        return kept

    def close(self) -> None:
        """Let go of the file."""
        if self._database:
            self._database.close()
            self._database = None

    def add(self, sends: list[ChatSend]) -> list[Row]:
        """Keep messages in this order, forget the oldest; on disk when it returns."""
        clock, now = wall_clock.CLOCK, wall_clock.now()
        mark = clock.mark(now)
        # A time that is wrong is none: the least that it can be keeps the order meanwhile.
        now = clock.least() if clock.state == "unset" else now
        with self._transaction() as database:
            rows = []
            for send in sends:
                about = mark.model_dump_json() if mark else None
                values = (send.id, send.username, send.message, now, about)
                number = database.execute(ADD, values).lastrowid
                rows.append(Row(number or 0, *values))
            oldest = rows[-1].number - self._remembered
            database.execute("DELETE FROM messages WHERE number <= ?", (oldest,))
        return rows

    def erase(self, ids: list[str]) -> None:
        """Remove the text of messages from the disk; that they were said stays known."""
        with self._transaction() as database:
            database.executemany(
                "UPDATE messages SET message = NULL WHERE id = ?", [(one,) for one in ids]
            )

    def settle(self, rows: Iterable[Row], boot: str, offset: float) -> list[Row]:
        """Give messages of a boot their time: `offset` is Unix time minus CLOCK_BOOTTIME (s)."""
        settled = [
            row._replace(timestamp=about.boottime + offset, boot_time=None)
            for row in rows
            if (about := row.since_boot) and about.boot == boot
        ]
        with self._transaction() as database:
            database.executemany(
                "UPDATE messages SET timestamp = ?, boot_time = NULL WHERE number = ?",
                [(row.timestamp, row.number) for row in settled],
            )
        return settled

    def _transaction(self) -> sqlite3.Connection:
        if self._database is None:
            raise sqlite3.OperationalError("the file is not open")
        return self._database

    def _open(self, aside: Path | None = None) -> Kept:
        database = self._database = sqlite3.connect(
            self.path, timeout=BUSY, check_same_thread=False
        )
        try:
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
                database.execute(f"PRAGMA {pragma}")
            migrate(database)
            with database:
                if aside:
                    bring_over(aside, database)
                self._begin(database)
            return self._read(database)
        except sqlite3.Error:
            self.close()
            raise

    def _begin(self, database: sqlite3.Connection) -> None:
        """A new station begins a new conversation, unless it is to be kept.

        A backup that was brought back has no start: it goes on.
        """
        about = dict(database.execute("SELECT key, value FROM about"))
        if "conversation" in about and (
            self._keep or about.get("start", self._start) == self._start
        ):
            new = {"start": self._start}
        else:
            database.execute("DELETE FROM messages")
            new = {"start": self._start, "conversation": secrets.token_hex(8)}
        database.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", new.items())

    def _read(self, database: sqlite3.Connection) -> Kept:
        (conversation,) = database.execute(
            "SELECT value FROM about WHERE key = 'conversation'"
        ).fetchone()
        last = database.execute(LAST).fetchone()
        rows = database.execute(READ)
        return Kept(conversation, last[0] if last else 0, [Row(*row) for row in rows])


def migrate(database: sqlite3.Connection) -> None:
    """Make the tables, or those of an older version as they are now."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if sqlite_file.columns(database, "messages"):
        for statement in NEWER[version:]:
            database.execute(statement)
    database.executescript(SCHEMA)
    database.execute(f"PRAGMA user_version = {len(NEWER)}")
    database.commit()


def bring_over(aside: Path, database: sqlite3.Connection) -> None:
    """What can be read of a damaged file."""
    with contextlib.closing(sqlite_file.damaged(aside)) as source:
        for table, key in (("about", "key"), ("messages", "number")):
            there = set(sqlite_file.columns(database, table))
            names = [name for name in sqlite_file.columns(source, table) if name in there]
            marks = ", ".join("?" * len(names))
            for rows in sqlite_file.readable(source, table, names, (key,)) if names else ():
                into = f"INSERT OR IGNORE INTO {table} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 (names of columns that are there)
                database.executemany(into, rows)
