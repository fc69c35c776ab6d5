"""Grafana's database is kept before another version changes it for good."""

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

from station.grafana_copy import KEPT, copies

OLD, NEW = "grafana/grafana:11.6.4", "grafana/grafana@sha256:0123abcd"


def start(folder: Path, image: str) -> subprocess.CompletedProcess[str]:
    """What runs before each start of Grafana."""
    command = [sys.executable, "-m", "station.grafana_copy", str(folder), image]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def write(folder: Path, word: str) -> None:
    with contextlib.closing(sqlite3.connect(folder / "grafana.db")) as database, database:
        database.execute("CREATE TABLE IF NOT EXISTS boards (name TEXT)")
        database.execute("INSERT INTO boards VALUES (?)", (word,))


def words(file: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(file)) as database:
        return [word for (word,) in database.execute("SELECT name FROM boards")]


def test_a_first_start_has_nothing_to_keep(tmp_path: Path) -> None:
    assert start(tmp_path, OLD).returncode == 0
    assert copies(tmp_path) == []


def test_another_image_finds_a_copy_even_while_the_old_one_writes(tmp_path: Path) -> None:
    start(tmp_path, OLD)
    write(tmp_path, "mine")
    with contextlib.closing(sqlite3.connect(tmp_path / "grafana.db")) as still, still:
        still.execute("PRAGMA journal_mode = WAL")
        still.execute("INSERT INTO boards VALUES ('the last one')")
        still.commit()
        assert start(tmp_path, OLD).returncode == 0 and copies(tmp_path) == []
        done = start(tmp_path, NEW)
    assert done.returncode == 0, done.stderr
    [kept] = copies(tmp_path)
    assert str(kept) in done.stdout
    assert words(kept) == ["mine", "the last one"]
    assert start(tmp_path, NEW).stdout == "" and copies(tmp_path) == [kept]


def test_an_installation_of_before_has_no_mark_and_is_copied(tmp_path: Path) -> None:
    write(tmp_path, "mine")
    start(tmp_path, NEW)
    assert [words(kept) for kept in copies(tmp_path)] == [["mine"]]


def test_only_the_newest_copies_stay(tmp_path: Path) -> None:
    write(tmp_path, "mine")
    for number in range(KEPT + 2):
        start(tmp_path, f"grafana/grafana:12.{number}")
    assert [kept.name.rpartition(".")[2] for kept in copies(tmp_path)] == ["3", "2"]


def test_grafana_does_not_start_where_there_can_be_no_copy(tmp_path: Path) -> None:
    (tmp_path / "grafana.db").write_bytes(b"no database" * 100)
    failed = start(tmp_path, NEW)
    assert failed.returncode == 1 and failed.stderr.count("\n") == 1
    assert start(tmp_path, NEW).returncode == 1, "it is not forgotten"
