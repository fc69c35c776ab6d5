"""Giving the front of a file back to the disk."""

import errno
import os
from pathlib import Path

import pytest
from metadata.hole import punch

BLOCK = b"x" * 1_000_000


def disk(path: Path) -> int:
    return path.stat().st_blocks * 512


def test_frees_the_front_and_keeps_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(BLOCK * 5)
    with path.open("r+b") as file:
        punch(file.fileno(), 4_000_000)
    assert disk(path) < 1_100_000
    assert path.stat().st_size == 5_000_000
    assert path.read_bytes()[-1_000_000:] == BLOCK
    assert path.read_bytes()[:4096] == bytes(4096)


def test_frees_what_lies_beyond_two_gigabytes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.seek(3_000_000_000)
        file.write(BLOCK * 5)
        file.flush()
        punch(file.fileno(), 3_004_000_000)
    assert disk(path) < 1_100_000
    with path.open("rb") as file:
        file.seek(-10, os.SEEK_END)
        assert file.read() == b"x" * 10


def test_less_than_a_page_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(BLOCK)
    with path.open("r+b") as file:
        punch(file.fileno(), 4095)
        punch(file.fileno(), -1)
    assert path.read_bytes() == BLOCK


def test_says_why_it_cannot(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(BLOCK)
    with path.open("rb") as file, pytest.raises(OSError, match="Bad file descriptor") as caught:
        punch(file.fileno(), 500_000)
    assert caught.value.errno == errno.EBADF
