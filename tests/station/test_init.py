"""Whatever ends a station ends all of it, kill -9 too, and the next start works."""

import getpass
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from conftest import DEADLINE, wait_until
from station.supervisor import Program, configuration
from whole import Station, alive

STUBBORN = ["sh", "-c", "trap '' TERM; echo begun; while :; do sleep 0.1; done"]
"""A program that SIGTERM does not end."""


def kill_init(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def kill_supervisord(pid: int) -> None:
    os.kill(supervisord(pid), signal.SIGKILL)


def kill_both(pid: int) -> None:
    child = supervisord(pid)
    os.kill(pid, signal.SIGSTOP)
    os.kill(child, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)


def supervisord(init: int) -> int:
    (child,) = psutil.Process(init).children()
    return int(child.pid)


@pytest.mark.parametrize("kill", [kill_init, kill_supervisord, kill_both])
def test_after_kill_nine_nothing_is_left_and_the_next_start_works(
    tmp_path: Path, kill: Callable[[int], None]
) -> None:
    station = Station(tmp_path)
    try:
        station.wait_ready()
        family = station.family()
        names = {process.name() for process in family}
        assert {"mosquitto", "ffmpeg"} < names and len(family) > 12, "all of it is listed"
        kill(station.process.pid)
        station.process.wait(DEADLINE)
        wait_until(lambda: not alive(family), "everything has ended")
        station.start()
        station.wait_ready()
    finally:
        left = station.close()
    assert left == []


@contextmanager
def supervised(folder: Path, *prefix: str) -> Iterator[tuple["subprocess.Popen[str]", Path]]:
    """The first process of a station of one program, which has begun; and the log."""
    file, log = folder / "supervisord.conf", folder / "log"
    programs = {"stubborn": Program(STUBBORN, {})}
    file.write_text(configuration(folder, getpass.getuser(), programs, 1024))
    command = [*prefix, sys.executable, "-m", "station.init", str(file)]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, start_new_session=True, text=True
        )
    try:
        wait_until(lambda: "begun" in log.read_text(), "the program has begun")
        yield process, log
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(DEADLINE)


def test_a_program_that_does_not_end_is_killed_when_supervisord_is(tmp_path: Path) -> None:
    with supervised(tmp_path) as (process, log):
        family = psutil.Process(process.pid).children(recursive=True)
        kill_supervisord(process.pid)
        assert process.wait(DEADLINE) == 1
        assert alive(family) == []
    assert "supervisord was ended by SIGKILL" in log.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_ends_when_it_is_asked_to_and_when_its_terminal_closes(
    tmp_path: Path, number: signal.Signals
) -> None:
    with supervised(tmp_path) as (process, log):
        family = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, number)
        assert process.wait(DEADLINE) == 0
        assert alive(family) == []
    assert "indicating exit request" in log.read_text()


def test_with_nohup_it_outlives_its_terminal(tmp_path: Path) -> None:
    with supervised(tmp_path, "nohup") as (process, log):
        os.killpg(process.pid, signal.SIGHUP)
        process.terminate()
        assert process.wait(DEADLINE) == 0
    said = log.read_text()
    assert "SIGTERM indicating exit request" in said and "SIGHUP" not in said
    assert said.count("begun") == 1, "it was not started anew, and no line is written over"
