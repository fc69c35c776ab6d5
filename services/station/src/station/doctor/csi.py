"""The programs that CSI cameras need, and whether their versions work here and together."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata

from .programs import answer
from .verdict import Verdict, fail, ok, warn

Version = tuple[int, ...]

RPICAM, LIBCAMERA, PICAMERA2 = (1, 5), (0, 3), (0, 3, 12)
"""The oldest versions whose options and classes the drivers know: docs/hardware.md."""
NEW_PYAV = (13,)
FOR_NEW_PYAV = (0, 3, 24)
"""The picamera2 that a PyAV of this age or younger needs, where it encodes by software."""
UPGRADE = "sudo apt-get update && sudo apt-get full-upgrade"


def csi_software() -> Iterator[Verdict]:
    """A line for each program that is there; nothing where none is."""
    name = shutil.which("rpicam-vid") or shutil.which("libcamera-vid")
    if name:
        yield from rpicam(answer(name, "--version"))
    versions = {name: installed(name) for name in ("picamera2", "av")}
    if versions["picamera2"]:
        yield picamera2(versions["picamera2"], versions["av"])
        yield imported()


def rpicam(said: str) -> Iterator[Verdict]:
    """What `rpicam-vid --version` prints."""
    for name, oldest in (("rpicam-apps", RPICAM), ("libcamera", LIBCAMERA)):
        found = re.search(rf"{name} build: v?(\d+(?:\.\d+)*)", said)
        if not found:
            yield warn(f"rpicam-vid does not say its version of {name}", UPGRADE)
        elif version(found[1]) < oldest:
            yield fail(f"{name} {found[1]} is too old: {shown(oldest)} is needed", UPGRADE)
        else:
            yield ok(f"{name} {found[1]}")


def picamera2(own: str, pyav: str | None) -> Verdict:
    """Whether picamera2 is new enough, for the drivers and for the PyAV beside it."""
    if version(own) < PICAMERA2:
        return fail(f"picamera2 {own} is too old: {shown(PICAMERA2)} is needed", UPGRADE)
    if pyav is None:
        return ok(f"picamera2 {own}")
    both = f"picamera2 {own} with PyAV {pyav}"
    if version(pyav) >= NEW_PYAV and version(own) < FOR_NEW_PYAV:
        return warn(f"{both}: a Pi 5 needs picamera2 {shown(FOR_NEW_PYAV)} for it", UPGRADE)
    return ok(both)


def imported() -> Verdict:
    """Whether picamera2 can be imported: its libcamera may be of another version."""
    command = [sys.executable, "-c", "import picamera2"]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except subprocess.TimeoutExpired:
        return fail("importing picamera2 does not end", "sudo reboot")
    if ran.returncode == 0:
        return ok("picamera2 can be imported")
    last = (ran.stderr.strip().splitlines() or [f"exit code {ran.returncode}"])[-1]
    return fail(f"picamera2 cannot be imported: {last}", UPGRADE)


def installed(package: str) -> str | None:
    """The version of a Python package that this station sees."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def version(text: str) -> Version:
    """Its numbers; what follows them does not count."""
    return tuple(int(part) for part in re.findall(r"\d+", text.split("+")[0])[:3])


def shown(numbers: Version) -> str:
    """As people write it."""
    return ".".join(map(str, numbers))
