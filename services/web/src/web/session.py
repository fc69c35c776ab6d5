"""The signed cookie that stands for a password which was verified once."""

import logging
import os
import secrets
from pathlib import Path
from typing import NamedTuple

import jwt

from . import expiry

log = logging.getLogger(__name__)

NAME = "beeper_session"
ALGORITHM = "HS256"
AUDIENCE = "beeper-session"
KEY_BYTES = 32


class Session(NamedTuple):
    """Who has signed in, until when (Unix time), and the mark of the password."""

    name: str
    expires: float
    mark: str


class Sessions:
    """Makes and reads the cookies; the key is made once and kept."""

    def __init__(self, key_file: Path) -> None:
        self._key_file = key_file
        self._kept: bytes | None = None

    def cookie(self, session: Session, secure: bool) -> str:
        """The value of Set-Cookie: no script reads it, and no other site makes use of it."""
        claims = {
            "sub": session.name,
            **expiry.claims(session.expires),
            "pwd": session.mark,
            "aud": AUDIENCE,
        }
        token = jwt.encode(claims, self._key, ALGORITHM)
        parts = [f"{NAME}={token}", "Path=/", "HttpOnly", "SameSite=Lax"]
        parts += [f"Max-Age={max(0, int(session.expires - expiry.now()))}"]
        return "; ".join([*parts, "Secure"] if secure else parts)

    def read(self, token: str) -> Session | None:
        """The session of a cookie; None when it does not count."""
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                options={"require": ["exp", "sub", "aud"], "verify_exp": False},
            )
            ends = expiry.ends(claims)
        except (jwt.PyJWTError, TypeError, ValueError):
            return None
        if ends <= expiry.now():
            return None
        return Session(claims["sub"], ends, str(claims.get("pwd", "")))

    @property
    def _key(self) -> bytes:
        if self._kept is None:
            try:
                self._kept = lasting_key(self._key_file)
            except (OSError, ValueError) as error:
                log.warning("who signs in must do so again after a restart: %s", error)
                self._kept = secrets.token_bytes(KEY_BYTES)
        return self._kept


def lasting_key(path: Path) -> bytes:
    """The key in the file, made when there is none; raises OSError, or ValueError for a bad one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    if not path.exists():
        new.unlink(missing_ok=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
        try:
            path.hardlink_to(new)  # of several replicas the first one wins
        except FileExistsError:
            pass
        finally:
            new.unlink()
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise ValueError(f"{path} does not hold {KEY_BYTES} bytes: remove it")
    return key
