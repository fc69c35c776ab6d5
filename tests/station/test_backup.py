"""Volumes into one file and back; tests/compose does it with a station's own."""

import io
import sqlite3
from pathlib import Path

import pytest
from station.backup import CHAT, load, save


def station(folder: Path, text: str) -> Path:
    chat = folder / CHAT
    chat.parent.mkdir(parents=True)
    with sqlite3.connect(chat) as database:
        database.execute("CREATE TABLE about (key TEXT, value TEXT)")
        database.executemany("INSERT INTO about VALUES (?, ?)", [("start", "1"), ("kept", text)])
    database.close()
    (folder / "secrets").mkdir()
    (folder / "secrets" / "word").write_text(text, encoding="utf-8")
    (folder / "secrets" / "word").chmod(0o600)
    return folder


def test_a_backup_replaces_everything_and_the_conversation_goes_on(tmp_path: Path) -> None:
    file = io.BytesIO()
    save(station(tmp_path / "one", "old"), file)
    other = station(tmp_path / "two", "new")
    (other / "secrets" / "later").touch()
    load(other, io.BytesIO(file.getvalue()))
    assert (other / "secrets" / "word").read_text(encoding="utf-8") == "old"
    assert (other / "secrets" / "word").stat().st_mode & 0o777 == 0o600
    assert not (other / "secrets" / "later").exists()
    with sqlite3.connect(other / CHAT) as database:
        assert database.execute("SELECT * FROM about").fetchall() == [("kept", "old")]
    database.close()


def test_what_is_no_backup_changes_nothing(tmp_path: Path) -> None:
    folder = station(tmp_path / "one", "mine")
    stranger = io.BytesIO()
    (tmp_path / "else" / "photos").mkdir(parents=True)
    save(tmp_path / "else", stranger)
    with pytest.raises(ValueError, match="no backup"):
        load(folder, io.BytesIO(stranger.getvalue()))
    assert (folder / "secrets" / "word").read_text(encoding="utf-8") == "mine"
