"""The signed cookie that stands for a password which was verified once."""

import hashlib
import hmac
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


SIGNED_OUT = "beeper_signed_out"
"""A cookie of a browser that has signed out and may still send its password by itself."""


class Session(NamedTuple):
    """Who has signed in, until when (Unix time), the mark of the password, and the sign-in's id.

    credential: `Sessions.digest` of the password that was given.
    """

    name: str
    expires: float
    mark: str
    id: str = ""
    credential: str = ""


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
            "sid": session.id,
            "cred": session.credential,
            "aud": AUDIENCE,
        }
        token = jwt.encode(claims, self._key, ALGORITHM)
        return cookie(NAME, token, secure, max(0, int(session.expires - expiry.now())))

    def digest(self, name: str, password: str) -> str:
        """What stands for a password in a cookie: worthless to whoever has no key."""
        told = f"{name}\0{password}".encode()
        return hmac.new(self._key, told, hashlib.sha256).hexdigest()[:32]

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
        told = (str(claims.get(name, "")) for name in ("pwd", "sid", "cred"))
        return Session(claims["sub"], ends, *told)

    @property
    def _key(self) -> bytes:
        if self._kept is None:
            try:
                self._kept = lasting_key(self._key_file)
            except (OSError, ValueError) as error:
                log.warning("who signs in must do so again after a restart: %s", error)
                self._kept = secrets.token_bytes(KEY_BYTES)
        return self._kept


def cookie(name: str, value: str, secure: bool, seconds: int | None = None) -> str:
    """The value of Set-Cookie; without `seconds` until the browser is closed, 0 removes it."""
    parts = [f"{name}={value}", "Path=/", "HttpOnly", "SameSite=Lax"]
    parts += [] if seconds is None else [f"Max-Age={seconds}"]
    return "; ".join([*parts, "Secure"] if secure else parts)


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
