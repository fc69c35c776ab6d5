"""What systemd hears of a service, on a socket that stands for its own."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import DEADLINE, Service, Start

WATCHDOG_USEC = "300000"


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(str(tmp_path / "notify"))
        end.settimeout(DEADLINE)
        yield end


def run(start: Start, tmp_path: Path, **more: str) -> Service:
    return start("metadata", NOTIFY_SOCKET=str(tmp_path / "notify"), **more)


def test_a_service_says_that_it_has_begun_and_that_it_lives(
    systemd: socket.socket, start: Start, tmp_path: Path
) -> None:
    run(start, tmp_path, WATCHDOG_USEC=WATCHDOG_USEC)
    assert systemd.recv(64) == b"READY=1"
    assert [systemd.recv(64) for _ in range(3)] == [b"WATCHDOG=1"] * 3


def test_a_service_that_stands_still_says_nothing(
    systemd: socket.socket, start: Start, tmp_path: Path
) -> None:
    service = run(start, tmp_path, WATCHDOG_USEC=WATCHDOG_USEC)
    assert systemd.recv(64) == b"READY=1"
    os.kill(service.process.pid, signal.SIGSTOP)
    systemd.settimeout(3 * float(WATCHDOG_USEC) / 1e6)
    with pytest.raises(TimeoutError):
        while True:
            systemd.recv(64)
    os.kill(service.process.pid, signal.SIGCONT)
    systemd.settimeout(DEADLINE)
    assert systemd.recv(64) == b"WATCHDOG=1"


def test_who_is_not_asked_for_signs_gives_none_and_stops_cleanly(
    systemd: socket.socket, start: Start, tmp_path: Path
) -> None:
    service = run(start, tmp_path)
    assert systemd.recv(64) == b"READY=1"
    assert service.terminate() == 0
    systemd.setblocking(False)
    with pytest.raises(BlockingIOError):
        systemd.recv(64)
