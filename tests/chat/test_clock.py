"""The conversation while clocks jump, and on a disk that fails."""

import contextlib
import secrets
import sqlite3
import time
from pathlib import Path

import pytest
from bus import sqlite_file, wall_clock
from bus.messages import ChatSend
from chat.store import FILE, Store
from conftest import Start, wait_until
from faketime import FakeTime

from .people import Join

QUICK = {"BEEPER_CHAT__PAUSE": "0.05", "BEEPER_CHAT__BURST": "100"}
LAST_VERSION = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE messages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    username TEXT NOT NULL,
    message TEXT,
    timestamp REAL NOT NULL
);
INSERT INTO about VALUES ('conversation', 'old');
INSERT INTO messages (id, username, message, timestamp) VALUES ('0123456789', 'ann', 'hi', 1.79e9);
"""


def said(number: int, words: str) -> ChatSend:
    return ChatSend(id=f"id-{number:08}", username="ann", message=words)


async def test_jumps_delete_nothing_and_keep_the_order(
    start: Start, join: Join, tmp_path: Path
) -> None:
    fake = FakeTime(tmp_path)
    fake.synchronise(True)
    chat = start("chat", **QUICK, **fake.variables, BEEPER_CHAT__EXPIRE="3600")
    people = await (await join()).ready()
    fake.synchronise(False)
    expected = []
    for offset in ("+0", "+1095d", "-1h", "+40d", "@1970-01-01 00:02:00", "+0"):
        fake.set(offset)
        assert (await people.accepted(offset, "ann", secrets.token_hex(16))).said
        expected.append(offset)
        await people.until(lambda: people.texts() == expected, "all of them are there")
    assert people.history
    times = [message.timestamp for message in people.history.messages]
    assert times == sorted(times) and all(abs(at - time.time()) < 600 for at in times)
    fake.set("-1h")
    wait_until(lambda: "the clock jumped by −1 h" in chat.log(), "it is said")


async def test_what_is_said_in_1970_gets_its_time_later(
    start: Start, join: Join, tmp_path: Path
) -> None:
    fake = FakeTime(tmp_path, "@1970-01-01 00:02:00")
    chat = start("chat", **QUICK, **fake.variables)
    people = await (await join()).ready()
    first = (await people.accepted("good morning", "ann", secrets.token_hex(16))).said
    assert first and first.boot_time and first.boot_time.state == "unset"
    assert first.timestamp > wall_clock.EARLIEST, "no made up time"
    chat.kill()
    start("chat", **QUICK, **fake.variables)
    fake.set("+0")
    fake.synchronise(True)

    def timed() -> bool:
        known = people.history.messages if people.history else []
        return len(known) == 1 and known[0].boot_time is None

    await people.until(timed, "it has its time")
    assert people.history
    assert people.history.messages[0].timestamp == pytest.approx(time.time(), abs=60)


def test_a_file_of_the_last_version_goes_on(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as database:
        database.executescript(LAST_VERSION)
    for _ in range(2):
        store = Store(tmp_path, "start", keep=True, remembered=1000)
        kept = store.open()
        assert kept.conversation == "old"
        assert (kept.rows[0].message, kept.rows[0].boot_time) == ("hi", None)
        store.close()


def test_what_can_be_read_of_a_damaged_file_goes_on(tmp_path: Path) -> None:
    store = Store(tmp_path, "start", keep=True, remembered=10_000)
    before = store.open()
    words = "many words " * 20
    for number in range(40):
        store.add([said(number * 50 + n, words) for n in range(50)])
    store.close()
    file = tmp_path / FILE
    with file.open("r+b") as damaged:
        damaged.seek(file.stat().st_size // 2)
        damaged.write(b"\xa5" * 8000)
    kept = store.open()
    assert kept.conversation == before.conversation, "it goes on"
    assert 1000 < len(kept.rows) < 2000
    assert kept.last == 2000
    assert store.remark and "messages of it go on" in store.remark
    more = store.add([ChatSend(id="something-new", username="ann", message="on we go")])
    assert more[0].number == 2001
    assert len(sqlite_file.asides(tmp_path)) == 1
    store.close()


async def test_a_bad_page_is_found_after_a_kill(start: Start, join: Join, tmp_path: Path) -> None:
    state = tmp_path / "state"
    store = Store(state, "start", keep=True, remembered=1000)
    store.open()
    store.add([said(n, "words " * 50) for n in range(500)])
    store.close()
    with contextlib.closing(sqlite3.connect(state / FILE)) as database:
        root, page = (
            database.execute(query).fetchone()[0]
            for query in (
                "SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_messages_1'",
                "PRAGMA page_size",
            )
        )
    with (state / FILE).open("r+b") as damaged:
        damaged.seek((root - 1) * page)
        damaged.write(b"\xa5" * page)
    (state / f"{FILE}-wal").touch()
    chat = start("chat", **QUICK, BEEPER_CHAT__KEEP="true")
    people = await (await join()).ready()
    wait_until(lambda: "beginning anew" in chat.log(), "the check has found it")
    assert (await people.accepted("hello", "ann", secrets.token_hex(16))).accepted
    await people.until(lambda: people.texts()[-1:] == ["hello"], "it goes on")
    assert len(people.texts()) == 50, "with what was said before"
