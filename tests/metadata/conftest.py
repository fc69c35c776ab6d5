"""An encoder that writes metadata in its own process, and somebody who is not root."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Tell = Callable[[str], None]
Encode = Callable[[Path], Tell]

NOBODY = 65534


@pytest.fixture
def encode() -> Iterator[Encode]:
    """`tell = encode(path)` starts an encoder; `tell("frames 3")` returns when they are written."""
    running: list[subprocess.Popen[str]] = []

    def start(path: Path) -> Tell:
        program = str(Path(__file__).with_name("encoder.py"))
        process = subprocess.Popen(
            [sys.executable, program, str(path), path.suffix[1:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        running.append(process)
        assert process.stdin and process.stdout
        assert process.stdout.readline() == "ok\n"

        def tell(order: str) -> None:
            assert process.stdin and process.stdout
            process.stdin.write(order + "\n")
            assert process.stdout.readline() == "ok\n"

        return tell

    yield start
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def ordinary_user() -> Iterator[Path]:
    """A folder that anyone may read, and for the time of the test no rights of root."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        before = os.geteuid()
        yield folder
        os.seteuid(before)


@pytest.fixture
def drop_rights(ordinary_user: Path) -> Callable[[], None]:
    """From this call on the test is not root; whoever never was needs nothing."""
    assert ordinary_user.is_dir()
    return lambda: os.seteuid(NOBODY) if os.geteuid() == 0 else None
