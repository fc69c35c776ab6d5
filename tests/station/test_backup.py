"""Volumes into one file and back; tests/compose does it with a station's own."""

import io
import os
import sqlite3
from pathlib import Path

import pytest
from station.backup import CHAT, load, save

SETTINGS = "[access]\n"


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


def settings(folder: Path, owner: int) -> Path:
    """config/ as somebody has it, with a certificate that is the broker's."""
    config = folder / "config"
    (config / "tls").mkdir(parents=True)
    (config / "README.md").write_text(folder.name, encoding="utf-8")
    (config / "beeper.toml").write_text(SETTINGS, encoding="utf-8")
    (config / "tls" / "server.key").touch(mode=0o600)
    for path in (config, *config.rglob("*")):
        os.chown(path, owner, owner)
    os.chown(config / "tls" / "server.key", 1883, 1883)
    return folder


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_settings_belong_to_whoever_runs_the_station_there(tmp_path: Path) -> None:
    file = io.BytesIO()
    save(settings(tmp_path / "one", owner=1000), file)
    config = settings(tmp_path / "two", owner=1001) / "config"
    (config / "beeper.toml").unlink()
    (config / "hub-ca.crt").touch()
    load(tmp_path / "two", io.BytesIO(file.getvalue()))
    assert (config / "beeper.toml").read_text(encoding="utf-8") == SETTINGS
    assert not (config / "hub-ca.crt").exists()
    assert (config / "README.md").read_text(encoding="utf-8") == "two", "the program's own"
    owners = {path.name: path.stat().st_uid for path in (config, *config.rglob("*"))}
    assert owners.pop("server.key") == 1883
    assert set(owners.values()) == {1001}
    assert (config / "beeper.toml").stat().st_gid == 1001


def test_an_older_backup_leaves_what_it_does_not_know(tmp_path: Path) -> None:
    file = io.BytesIO()
    save(station(tmp_path / "one", "old"), file)
    other = station(tmp_path / "two", "new")
    for folder in ("config", "added"):
        (other / folder).mkdir()
        (other / folder / "word").write_text("new", encoding="utf-8")
    load(other, io.BytesIO(file.getvalue()))
    assert (other / "secrets" / "word").read_text(encoding="utf-8") == "old"
    for folder in ("config", "added"):
        assert (other / folder / "word").read_text(encoding="utf-8") == "new"


def test_what_only_compose_knows_is_left_to_docker_restore(tmp_path: Path) -> None:
    one = station(tmp_path / "one", "old")
    (one / ".env").write_text("EDGE=172.31.199\n", encoding="utf-8")
    file = io.BytesIO()
    save(one, file)
    other = station(tmp_path / "two", "new")
    load(other, io.BytesIO(file.getvalue()))
    assert (other / "secrets" / "word").read_text(encoding="utf-8") == "old"
    assert not (other / ".env").exists()


def test_what_is_no_backup_changes_nothing(tmp_path: Path) -> None:
    folder = station(tmp_path / "one", "mine")
    stranger = io.BytesIO()
    (tmp_path / "else" / "photos").mkdir(parents=True)
    save(tmp_path / "else", stranger)
    with pytest.raises(ValueError, match="no backup"):
        load(folder, io.BytesIO(stranger.getvalue()))
    assert (folder / "secrets" / "word").read_text(encoding="utf-8") == "mine"
