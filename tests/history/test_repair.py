"""Databases that a bad disk has damaged: moved aside, said, and read as far as they can be."""

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from conftest import DEADLINE

from .past import Past, until
from .test_clock import READINGS, fill, itself, moments, rows, written

FAST = {"flush": "0.1"}


def damage(path: Path, kind: str) -> None:
    data = path.read_bytes()
    if kind == "header":
        path.write_bytes(b"\0" * 100 + data[100:])
    elif kind == "truncated":
        path.write_bytes(data[: len(data) * 2 // 3])
    elif kind == "zero length":
        path.write_bytes(b"")
    elif kind == "not a database":
        path.write_bytes(b"what is this? " * 5000)
    else:
        with path.open("r+b") as file:
            file.seek(len(data) * 9 // 10)
            file.write(b"\xa5" * 4096)


@pytest.mark.parametrize(
    ("kind", "readable"),
    [
        ("header", False),
        ("truncated", True),
        ("zero length", False),
        ("not a database", False),
    ],
)
async def test_damage_is_said_and_a_new_file_begun_at_once(
    past: Past, tmp_path: Path, kind: str, readable: bool
) -> None:
    state = tmp_path / "state"
    file = state / "history.sqlite"
    await asyncio.to_thread(fill, state, time.time() - 100)
    damage(file, kind)
    before = file.read_bytes()
    service = await past.begin(**FAST)
    moment = await past.hum(7)

    async def kept() -> bool:
        return 7 in await past.levels(moment)

    await until(kept, "it goes on")

    async def said() -> bool:
        return "a damaged file is now history.sqlite.broken-" in past.status_of("file")

    await until(said, "the status says so")
    (aside,) = state.glob("history.sqlite.broken-*[0-9]")
    assert aside.read_bytes() == before, "nothing of it is lost"
    assert "beginning anew" in service.log()
    await written(past, state, READINGS // 10 if readable else 1)
    again = past.status_of("file")
    assert service.terminate() == 0
    past.status = None
    await past.begin(**FAST)
    await until(past_said(past, "remove what you need no more"), "and so it does later")
    assert past.status_of("file") != again


def past_said(past: Past, text: str) -> Callable[[], Awaitable[bool]]:
    async def there() -> bool:
        return text in past.status_of("file")

    return there


async def test_a_bad_page_is_found_after_a_kill_and_all_but_it_goes_on(
    past: Past, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    file = state / "history.sqlite"
    await asyncio.to_thread(fill, state, time.time() - 100)
    service = await past.begin(**FAST)
    await itself(past, state)
    service.kill()
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    damage(file, "middle")
    file.with_name(file.name + "-wal").touch()
    service = await past.begin(**FAST)
    await until(past_said(past, "rows of it could be brought over"), "it is repaired")
    assert len(moments(state)) > READINGS * 8 // 10
    moment = await past.hum(7)

    async def kept() -> bool:
        return 7 in await past.levels(moment)

    await until(kept, "it goes on")
    assert "checking it" in service.log()


async def test_a_stop_is_clean_and_a_kill_is_checked(past: Past, tmp_path: Path) -> None:
    state = tmp_path / "state"
    service = await past.begin(**FAST)
    await itself(past, state)
    assert service.terminate() == 0
    assert not (state / "history.sqlite-wal").exists()
    service = await past.begin(**FAST)
    await itself(past, state)
    service.kill()
    assert "checking it" not in service.log()
    service = await past.begin(**FAST)

    async def whole() -> bool:
        return "it is whole" in service.log()

    await until(whole, "it is checked")


async def test_a_lost_log_costs_what_was_in_it_and_no_more(past: Past, tmp_path: Path) -> None:
    state = tmp_path / "state"
    await asyncio.to_thread(fill, state, time.time() - 100)
    service = await past.begin(**FAST)
    await itself(past, state)
    service.kill()
    for end in ("-wal", "-shm"):
        (state / f"history.sqlite{end}").unlink()
    await past.begin(**FAST)
    assert rows(state) >= READINGS


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 3 MB."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


async def test_a_full_disk_is_no_damage(past: Past, small_disk: Path) -> None:
    service = await past.begin(**FAST, BEEPER_STATE_DIR=str(small_disk))
    rest = small_disk / "rest"
    with contextlib.suppress(OSError), rest.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    began = time.time()
    for n in range(200):
        await past.hum(n, began + n / 100)
    await until(past.problem, "it is said")
    assert not list(small_disk.glob("*broken*"))
    rest.unlink()

    async def well() -> bool:
        return not await past.problem() and rows(small_disk) >= 200

    await until(well, "all of it is written")
    assert service.process.poll() is None


async def test_a_disk_that_became_read_only_is_no_damage(past: Past, small_disk: Path) -> None:
    service = await past.begin(**FAST, BEEPER_STATE_DIR=str(small_disk))
    service.process.send_signal(signal.SIGTERM)
    service.process.wait(DEADLINE)
    remount(small_disk, "ro")
    began = time.time()
    service = past._start("history", BEEPER_STATE_DIR=str(small_disk), BEEPER_HISTORY__FLUSH="0.1")
    await until(past.problem, "it is said")
    await past.hum(5, began)
    remount(small_disk, "rw")

    async def well() -> bool:
        return rows(small_disk) >= 1

    await until(well, "it is written")
    assert not list(small_disk.glob("*broken*"))


def remount(place: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", place], check=True, capture_output=True)
