"""The ways to be somebody: a token, a proxy's word, a password, or the network at home."""

import base64
import binascii
import contextlib
import re

from fastapi import HTTPException
from starlette.requests import HTTPConnection

from . import assertion, expiry, session
from .assertion import Assertions, Rejected
from .client import Client, client_of, person_of, why_unknown, within
from .identity import Identity, Way
from .limit import Limit
from .passwords import RESERVED, Busy, Passwords
from .session import Session, Sessions
from .settings import Settings, password_file

COOKIE = "beeper.cookie"
"""Where in an ASGI scope the identity stands for which the answer is to set a cookie."""
CHALLENGE = {"WWW-Authenticate": 'Basic realm="Beeper Keeper", charset="UTF-8"'}
LONGEST = 64
UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""Control characters, and those that turn or hide text."""


class Identities:
    """The ways to be somebody, tried in order: the first that applies decides."""

    def __init__(self, settings: Settings) -> None:
        access = settings.access
        self._access = access
        self._assertions = Assertions(access) if access.team_domain else None
        self._passwords = Passwords(password_file(settings))
        self._sessions = Sessions(settings.state_dir / "session.key")
        self._session = access.session
        self._attempts = Limit(access.password_rate, access.password_burst, "passwords")

    async def identify(self, connection: HTTPConnection) -> Identity:
        """Who asks; raises HTTPException with words, 401 when a password would help, else 403."""
        if token := connection.headers.get(assertion.HEADER):
            return await self.by_token(token)
        if user := self._header(connection):
            return self._somebody(user, "proxy")
        client = client_of(connection)
        if found := self._by_cookie(connection):
            return found
        given = credentials(connection.headers.get("authorization", ""))
        if given and self.has_users:
            found = await self.by_password(*given, client)
            connection.scope[COOKIE] = found
            return found
        return self.by_network(client)

    async def recognises(self, connection: HTTPConnection) -> bool:
        """Whether a token, a proxy or a cookie vouches for who asks; hashes no password."""
        with contextlib.suppress(HTTPException):
            if token := connection.headers.get(assertion.HEADER):
                return bool(await self.by_token(token))
            if user := self._header(connection):
                return bool(self._somebody(user, "proxy"))
            return self._by_cookie(connection) is not None
        return False

    async def by_token(self, token: str) -> Identity:
        """Whoever Cloudflare Access vouches for; raises HTTPException 403."""
        if self._assertions is None:
            raise HTTPException(
                403, "Cloudflare Access is not set up: access.team_domain and access.audience"
            )
        try:
            claims = await self._assertions.verify(token)
        except Rejected as why:
            raise HTTPException(403, f"the Cloudflare Access token does not count: {why}") from None
        return self._somebody(claims.subject, "access", claims.expires)

    async def by_password(self, name: str, password: str, client: Client) -> Identity:
        """A user of the password file; raises HTTPException 401, 429 or 503."""
        self._attempts.take(person_of(client.address))
        try:
            right = await self._passwords.verify(name, password)
        except Busy:
            raise HTTPException(503, "too many people sign in at this moment") from None
        if not right:
            raise HTTPException(401, "wrong name or password", headers=CHALLENGE)
        return self._somebody(name, "password", expiry.now() + self._session)

    def by_network(self, client: Client) -> Identity:
        """A device of a network from which anybody may watch; raises HTTPException 401 or 403."""
        why = why_unknown(client)
        if not why and within(client.address, self._access.anonymous):
            name = f"{RESERVED}{client.address}"
            return Identity(name, name, "network", name in self._access.operators)
        why = why or f"{client.address} may not watch without signing in (access.anonymous)"
        if self.has_users:
            raise HTTPException(401, why, headers=CHALLENGE)
        raise HTTPException(403, why)

    @property
    def has_users(self) -> bool:
        """Whether anybody can sign in with a password."""
        return bool(self._passwords.users)

    def cookie(self, identity: Identity, secure: bool) -> str:
        """The value of Set-Cookie, so that the password of a user is verified only once."""
        mark = self._passwords.mark(identity.name) or ""
        return self._sessions.cookie(Session(identity.name, identity.expires or 0, mark), secure)

    def _header(self, connection: HTTPConnection) -> str | None:
        name = self._access.user_header
        return connection.headers.get(name) if name else None

    def _by_cookie(self, connection: HTTPConnection) -> Identity | None:
        token = connection.cookies.get(session.NAME)
        found = self._sessions.read(token) if token and self.has_users else None
        if found is None or self._passwords.mark(found.name) != found.mark:
            return None
        if found.expires - expiry.now() < self._session / 2:
            renewed = self._somebody(found.name, "password", expiry.now() + self._session)
            connection.scope[COOKIE] = renewed
            return renewed
        return self._somebody(found.name, "password", found.expires)

    def _somebody(self, subject: str, way: Way, expires: float | None = None) -> Identity:
        subject = UNSEEN.sub("", subject).strip()
        name = subject.split("@")[0][:LONGEST]
        if not name or name.startswith(RESERVED):
            raise HTTPException(403, f"that is nobody's name: {subject[:LONGEST]!r}")
        # Never by the name alone: at another domain it may be anybody's.
        return Identity(name, subject, way, subject in self._access.operators, expires)


def credentials(header: str) -> tuple[str, str] | None:
    """Name and password of HTTP Basic (RFC 7617); None for anything else."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, password) if colon else None
