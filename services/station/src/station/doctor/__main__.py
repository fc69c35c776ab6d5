"""`python -m station.doctor`: one line for each thing looked at, and what to do.

Exit code 1 when a line says `fail`.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from bus.settings import CONFIG, config_file

from station import plan

from .csi import csi_software
from .devices import compose, parts, permissions
from .files import files
from .machine import machine
from .network import network
from .programs import programs
from .station import running
from .verdict import Verdict, fail, ok

INSTALLED = Path("/etc/beeper-keeper")


def main() -> None:
    """Look at everything; nothing is changed."""
    parser = argparse.ArgumentParser(prog="python -m station.doctor", description=__doc__)
    parser.add_argument("--folder", type=Path, help="where `make run` keeps its files (.run)")
    folder: Path = parser.parse_args().folder or (INSTALLED if installed() else Path(".run"))
    if folder == INSTALLED:
        os.environ.setdefault(CONFIG, str(INSTALLED / "beeper.toml"))
    grades = set()
    for verdict in verdicts(folder):
        sys.stdout.write(verdict.line() + "\n")
        sys.stdout.flush()
        grades.add(verdict.grade)
    sys.exit("fail" in grades)


def installed() -> bool:
    """Whether `make install` has been here, and nobody has chosen other settings."""
    return CONFIG not in os.environ and (INSTALLED / "beeper.toml").exists()


def verdicts(folder: Path) -> Iterator[Verdict]:
    """All of them, in the order in which they should be mended."""
    yield from programs()
    yield from csi_software()
    try:
        settings = plan.all_settings()
    except ValueError as error:
        yield fail(f"settings: {error}", f"{config_file()}; beeper.example.toml has them all")
        return
    yield ok(f"settings: {config_file() if config_file().exists() else 'the defaults'}")
    state = Path(settings["state_dir"])
    yield from machine(state, settings["clock"]["trusted"])
    yield from files(folder / "state" if (folder / "state").is_dir() else state)
    yield from parts(settings["stepper"]["enabled"])
    yield from permissions()
    yield compose()
    yield from network(settings)
    yield from running(settings, folder)


if __name__ == "__main__":
    main()
