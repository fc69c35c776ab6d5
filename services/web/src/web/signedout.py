"""The sign-ins that were ended by signing out, in a file that all replicas read."""

import fcntl
import logging
import os
from pathlib import Path

log = logging.getLogger(__name__)

MOST = 10_000
"""Sign-ins that are remembered; beyond them those are forgotten that would end first."""


class SignedOut:
    """`id expires` a line (Unix s); it is read again when it changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._ended: dict[str, float] = {}

    def __contains__(self, session: str) -> bool:
        return session in self._ended

    def refresh(self) -> None:
        """Read the file again when it has changed."""
        stamp = stamp_of(self._path)
        if stamp != self._stamp:
            self._stamp = stamp
            self._ended |= self._read()

    def add(self, session: str, expires: float) -> None:
        """End a sign-in, here at once and in all replicas soon."""
        self._ended[session] = expires
        try:
            self._write()
        except OSError as error:
            log.error("a signed-out session counts again after a restart: %s", error)

    def _write(self) -> None:
        """Add what is known here to what the others have written."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            known = parse(file.read()) | self._ended
            # Not by the time: a clock that is wrong for a moment would let them count again.
            kept = sorted(known.items(), key=lambda item: item[1])[-MOST:]
            file.seek(0)
            file.truncate()
            file.writelines(f"{one} {until:.0f}\n" for one, until in kept)
        self._ended = dict(kept)

    def _read(self) -> dict[str, float]:
        try:
            return parse(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            log.error("who has signed out is not known: %s", error)
            return {}


def parse(text: str) -> dict[str, float]:
    """The sign-ins of a file, each with the Unix time at which it would have ended."""
    found = {}
    for line in text.splitlines():
        session, _, until = line.partition(" ")
        if session and until.isascii() and until.isdecimal():
            found[session] = float(until)
    return found


def stamp_of(path: Path) -> tuple[int, int, int] | None:
    """What changes when a file does; None when there is none."""
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_mtime_ns, about.st_size, about.st_ino
