"""Files as bad disks leave them: found out, moved aside, and read as far as they can be."""

import contextlib
import sqlite3
from pathlib import Path

import pytest
from bus import sqlite_file
from bus.sqlite_file import DamagedError

ROWS = 5000


def make(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA page_size = 1024")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE t (a INTEGER, b TEXT, PRIMARY KEY (a)) WITHOUT ROWID")
        rows = ((n, f"row {n} " * 5) for n in range(ROWS))
        database.executemany("INSERT INTO t VALUES (?, ?)", rows)
        database.commit()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "some.sqlite"
    make(path)
    return path


def overwrite(path: Path, begin: float, length: int = 3000) -> None:
    """Rubbish from that part of the file on."""
    with path.open("r+b") as file:
        file.seek(int(path.stat().st_size * begin))
        file.write(b"\xa5" * length)


def test_a_whole_file_is_whole(path: Path) -> None:
    sqlite_file.look(path)
    assert not sqlite_file.was_cut_off(path)
    with contextlib.closing(sqlite_file.read_only(path)) as database:
        assert sqlite_file.quick_check(database) is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"x" * 50, "not a database"),
        (b"no database at all" * 1000, "not a database"),
        (b"SQLite format 3\0", "not a database"),
    ],
)
def test_what_the_first_bytes_tell(path: Path, content: bytes, words: str) -> None:
    path.write_bytes(content)
    with pytest.raises(DamagedError, match=words) as raised:
        sqlite_file.look(path)
    assert sqlite_file.is_damaged(raised.value)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_file_that_is_cut_off_is_found_out(path: Path, part: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(DamagedError, match="cut off"):
        sqlite_file.look(path)


def test_a_file_whose_log_is_there_may_be_shorter_than_it_says(path: Path) -> None:
    data = path.read_bytes()
    path.with_name(path.name + "-wal").write_bytes(b"")
    path.write_bytes(data[: len(data) // 2])
    sqlite_file.look(path)
    assert sqlite_file.was_cut_off(path)


async def test_a_page_of_rubbish_is_found_by_the_check_and_the_rest_is_read(path: Path) -> None:
    assert await sqlite_file.check(path) is None
    overwrite(path, 0.5)
    sqlite_file.look(path)
    assert await sqlite_file.check(path)
    aside = sqlite_file.move_aside(path, "a test")
    assert not path.exists() and sqlite_file.asides(path.parent) == [aside]
    with contextlib.closing(sqlite_file.damaged(aside)) as database:
        found = [
            row[0]
            for batch in sqlite_file.readable(database, "t", ("a", "b"), ("a",))
            for row in batch
        ]
    assert {0, ROWS - 1} <= set(found), "from both ends"
    assert 0.9 * ROWS < len(set(found)) < ROWS


@pytest.mark.parametrize("part", [0.3, 0.7])
def test_of_a_file_that_is_cut_off_the_beginning_is_read(path: Path, part: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    with contextlib.closing(sqlite_file.damaged(path)) as database:
        assert sqlite_file.columns(database, "t") == ["a", "b"]
        rows = list(sqlite_file.readable(database, "t", ("a", "b"), ("a",)))
    assert sum(map(len, rows)) > ROWS * part / 2


def test_of_what_is_no_database_nothing_is_read_and_nothing_fails(path: Path) -> None:
    path.write_bytes(b"no database at all" * 1000)
    with contextlib.closing(sqlite_file.damaged(path)) as database:
        assert sqlite_file.columns(database, "t") == []
        assert list(sqlite_file.readable(database, "t", ("a",), ("a",))) == []


def test_two_damaged_files_of_the_same_second_are_both_kept(path: Path) -> None:
    asides = {sqlite_file.move_aside(path, "one")}
    for _ in range(3):
        make(path)
        path.with_name(path.name + "-wal").write_bytes(b"log")
        asides.add(sqlite_file.move_aside(path, "another"))
    assert len(asides) == 4 and set(sqlite_file.asides(path.parent)) == asides
    assert len(list(path.parent.glob("*-wal"))) == 3
