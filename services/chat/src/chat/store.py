"""The conversation on disk: what was accepted survives the death of everything else."""

import logging
import secrets
import sqlite3
import time
from pathlib import Path
from typing import NamedTuple

from bus.messages import ChatMessage, ChatSend

log = logging.getLogger(__name__)

FILE = "chat.sqlite"
SCHEMA = """
CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    username TEXT NOT NULL,
    message TEXT,
    timestamp REAL NOT NULL
);
"""
LAST = "SELECT seq FROM sqlite_sequence WHERE name = 'messages'"
ADD = "INSERT INTO messages (id, username, message, timestamp) VALUES (?, ?, ?, ?)"
BUSY = 2.0
"""Seconds to wait for somebody else who looks into the file."""


class Broken(sqlite3.DatabaseError):
    """The file is damaged."""


class Row(NamedTuple):
    """One message as it is kept; `message` is None once it is deleted."""

    number: int
    id: str
    username: str
    message: str | None
    timestamp: float

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
        self._start = start
        self._keep = keep
        self._remembered = remembered
        self._database: sqlite3.Connection | None = None

    def open(self) -> Kept:
        """Open, begin anew if the station did, and read everything."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return self._open()
        except sqlite3.DatabaseError as error:
            if not is_broken(error):
                raise
            aside = self.path.with_name(f"{FILE}.broken-{int(time.time())}")
            log.error("%s: %s; moved to %s, beginning anew", self.path, error, aside.name)
            self.close()
            self.path.rename(aside)
            return self._open()

    def close(self) -> None:
        """Let go of the file."""
        if self._database:
            self._database.close()
            self._database = None

    def add(self, sends: list[ChatSend]) -> list[Row]:
        """Keep messages in this order, forget the oldest; on disk when it returns."""
        now = time.time()
        with self._transaction() as database:
            rows = []
            for send in sends:
                values = (send.id, send.username, send.message, now)
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

    def _transaction(self) -> sqlite3.Connection:
        if self._database is None:
            raise sqlite3.OperationalError("the file is not open")
        return self._database

    def _open(self) -> Kept:
        self.close()
        database = self._database = sqlite3.connect(
            self.path, timeout=BUSY, check_same_thread=False
        )
        try:
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
                database.execute(f"PRAGMA {pragma}")
            if database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise Broken("the file is damaged")
            database.executescript(SCHEMA)
            with database:
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
        rows = database.execute(
            "SELECT number, id, username, message, timestamp FROM messages ORDER BY number"
        )
        return Kept(conversation, last[0] if last else 0, [Row(*row) for row in rows])


def is_broken(error: sqlite3.DatabaseError) -> bool:
    """Whether the file is no database any more, other than a disk that refuses."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return isinstance(error, Broken) or code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
