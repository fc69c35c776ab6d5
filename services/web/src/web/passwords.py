"""The password file: one `name:hash` a line, argon2id, verified one at a time."""

import asyncio
import hashlib
import logging
import os
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import argon2
from argon2 import PasswordHasher

from .signedout import stamp_of

log = logging.getLogger(__name__)

MEMORY_KIB = 19_456
"""OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, 2 passes, 1 lane."""
HASHER = PasswordHasher(time_cost=2, memory_cost=MEMORY_KIB, parallelism=1)
MAX_PASSES = 10
MAX_PASSWORD = 1024
WAITING = 16
"""Verifications that may wait for their turn."""
NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
RESERVED = "local-"
"""Begins the names of devices that nobody has signed in on."""


class Busy(Exception):
    """Too many passwords wait to be verified."""


class Passwords:
    """Users as the file has them; it is read again when it has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._hashes: dict[str, str] = {}
        self._nobody: str | None = None
        self._waiting = 0
        self._one = ThreadPoolExecutor(1, "argon2")

    @property
    def users(self) -> dict[str, str]:
        """Name → hash; empty while there is no file."""
        stamp = stamp_of(self._path)
        if stamp != self._stamp:
            self._stamp, self._hashes = stamp, self._read() if stamp else {}
        return self._hashes

    async def verify(self, name: str, password: str, known: bool = False) -> bool:
        """Whether that is the user's password; as slow for a name that nobody has. Raises Busy.

        known: somebody who has signed in from there before, and waits while strangers may not.
        """
        if len(password) > MAX_PASSWORD:
            return False
        if self._waiting >= (2 * WAITING if known else WAITING):
            raise Busy
        hashed = self.users.get(name)
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            right = await loop.run_in_executor(self._one, self._check, hashed, password)
        finally:
            self._waiting -= 1
        return right and hashed is not None

    def mark(self, name: str) -> str | None:
        """A word that changes with the user's password; None when there is no such user."""
        known = self.users.get(name)
        return hashlib.sha256(known.encode()).hexdigest()[:16] if known else None

    def _check(self, known: str | None, password: str) -> bool:
        # Made at the first check of all: the first unknown name must not take twice as long.
        self._nobody = self._nobody or HASHER.hash(secrets.token_hex())
        try:
            return HASHER.verify(known or self._nobody, password)
        except argon2.exceptions.VerificationError:
            return False

    def _read(self) -> dict[str, str]:
        try:
            return read(self._path)
        except (OSError, ValueError) as error:
            log.error("nobody can sign in: %s: %s", self._path, error)
            return {}


def read(path: Path) -> dict[str, str]:
    """Name → hash; raises OSError, or ValueError with the line that is wrong."""
    users = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        name, _, hashed = line.strip().partition(":")
        if not name or name.startswith("#"):
            continue
        try:
            check_name(name)
            check_hash(hashed)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
        users[name] = hashed
    return users


def write(path: Path, users: dict[str, str]) -> None:
    """Replace the file as a whole, readable by its owner only; raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines(f"{name}:{hashed}\n" for name, hashed in sorted(users.items()))
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def check_name(name: str) -> None:
    """Raises ValueError when that cannot be a user's name."""
    if not NAME.fullmatch(name) or name.startswith(RESERVED):
        raise ValueError(
            f"{name[:64]!r} is no user's name: 1 to 64 letters, digits, dots, dashes and "
            f"underscores, and not beginning with {RESERVED}"
        )


def check_hash(hashed: str) -> None:
    """Raises ValueError unless it is argon2id within the limits of a small computer."""
    try:
        about = argon2.extract_parameters(hashed)
    except argon2.exceptions.InvalidHashError:
        raise ValueError("no argon2 hash after the name") from None
    if about.type is not argon2.Type.ID:
        raise ValueError("the hash is not argon2id")
    if about.memory_cost > MEMORY_KIB or about.time_cost > MAX_PASSES or about.parallelism > 1:
        raise ValueError(f"the hash needs more than {MEMORY_KIB} KiB and one lane")
