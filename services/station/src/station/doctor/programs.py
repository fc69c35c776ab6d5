"""The programs that the station runs on."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

from .verdict import Verdict, fail, ok

PYTHON = (3, 11)
ENCODERS = ("libx264", "libopus")
VERSIONS = {"ffmpeg": ((5, 1), "-version"), "mosquitto": ((2, 0, 11), "-h")}
"""The oldest version that the station is tested with (bookworm's), and how to ask for it."""


def programs() -> Iterator[Verdict]:
    """Their versions, and what ffmpeg must be able to do."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= PYTHON:
        yield ok(f"python {version}")
    else:
        yield fail(f"python {version} is too old", "Debian 12 or Raspberry Pi OS bookworm has 3.11")
    for name in VERSIONS:
        yield program(name)
    if shutil.which("ffmpeg"):
        yield encoders()


def program(name: str) -> Verdict:
    """Whether it is there, and new enough."""
    oldest, question = VERSIONS[name]
    if not shutil.which(name):
        return fail(f"{name} is not installed", f"sudo apt-get install {name}")
    said = answer(name, question)
    found = re.search(r"version n?(\d+(?:\.\d+)*)", said)
    if not found:
        return fail(f"{name} does not say its version", f"sudo apt-get install --reinstall {name}")
    if tuple(map(int, found[1].split("."))) < oldest:
        wanted = ".".join(map(str, oldest))
        return fail(f"{name} {found[1]} is too old", f"version {wanted} or newer is needed")
    return ok(f"{name} {found[1]}")


def encoders() -> Verdict:
    """Whether ffmpeg encodes H.264 and Opus."""
    missing = [name for name in ENCODERS if name not in answer("ffmpeg", "-encoders")]
    if missing:
        return fail(f"this ffmpeg has no {' and no '.join(missing)}", "install Debian's ffmpeg")
    return ok(f"ffmpeg encodes with {' and '.join(ENCODERS)}")


def answer(name: str, question: str) -> str:
    """What a program prints, wherever it prints it."""
    ran = subprocess.run(
        [name, question],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=20,
        check=False,
    )
    return ran.stdout
