"""The ways to be somebody: a token, a proxy's word, a password, or the network at home."""

import asyncio
import base64
import binascii
import contextlib
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import replace

from fastapi import HTTPException
from starlette.requests import HTTPConnection

from . import assertion, expiry, session
from .assertion import Assertions, Rejected
from .client import Client, client_of, person_of, why_unknown, within
from .grants import Grants
from .guesses import Guesses
from .identity import Identity, Way
from .operators import Operators
from .passwords import RESERVED, Busy, Passwords
from .session import Session, Sessions
from .settings import Settings, password_file
from .signedout import SignedOut

COOKIE = "beeper.cookie"
"""Where in an ASGI scope the identity stands for which the answer is to set a cookie."""
CHALLENGE = {"WWW-Authenticate": 'Basic realm="Beeper Keeper", charset="UTF-8"'}
FORGET = session.cookie(session.SIGNED_OUT, "", False, 0)
"""Set-Cookie of the answer that makes a browser forget a password it sent by itself."""
LONGEST = 64
UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""Control characters, and those that turn or hide text."""
REVIEW = 0.5
"""Seconds between two looks at whose rights have ended."""


class Identities:
    """The ways to be somebody, tried in order: the first that applies decides."""

    def __init__(self, settings: Settings) -> None:
        access = settings.access
        self.grants = Grants()
        self.on_review: Callable[[], None] = lambda: None
        self._access = access
        self._operators = Operators(access.operators)
        self._assertions = Assertions(access) if access.team_domain else None
        self._passwords = Passwords(password_file(settings))
        self._sessions = Sessions(settings.state_dir / "session.key")
        self._signed_out = SignedOut(settings.state_dir / "signed-out")
        self._signed_out.refresh()
        self._session = access.session
        self._guesses = Guesses(access)

    async def run(self) -> None:
        """Notice which rights have ended, and end what they had opened, until cancelled."""
        while True:
            await asyncio.sleep(REVIEW)
            self.review()

    def review(self) -> None:
        """Look once."""
        self._signed_out.refresh()
        self._operators.refresh()
        self.grants.review(self.why_over)
        self.on_review()

    def why_over(self, identity: Identity) -> str | None:
        """Why the right of somebody who was let in has ended; None while it lasts."""
        if not identity.left:
            return "your sign-in has expired"
        if identity.session and identity.session in self._signed_out:
            return "you have signed out"
        if identity.mark and self._passwords.mark(identity.name) != identity.mark:
            return "your sign-in has ended"
        if self._operators.has(identity.subject) != identity.operator:
            return "your rights have changed"
        return None

    def grant_over(self, grant: str) -> bool:
        """Whether the sign-in has ended of which somebody else says that it allows something."""
        name, _, rest = grant.partition(" ")
        mark, _, sign_in = rest.partition(" ")
        return self._passwords.mark(name) != mark or sign_in in self._signed_out

    async def identify(self, connection: HTTPConnection) -> Identity:
        """Who asks; raises HTTPException with words, 401 when a password would help, else 403."""
        if token := connection.headers.get(assertion.HEADER):
            return await self.by_token(token)
        if user := self._header(connection):
            return self._somebody(user, "proxy")
        client = client_of(connection)
        known = self._by_cookie(connection)
        header = connection.headers.get("authorization", "")
        given = credentials(header) if self.has_users else None
        if given and session.SIGNED_OUT in connection.cookies:
            # The browser sends it by itself: only a 401 makes it forget that, and ask.
            return self._forgotten(connection, client)
        if given and not (known and self._same(known, *given)):
            signed_in = known is not None and known.name == given[0]
            found = await self.by_password(*given, client, signed_in)
            connection.scope[COOKIE] = found
            return found
        return self._renewed(known, connection) if known else self.by_network(client)

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

    async def by_password(
        self, name: str, password: str, client: Client, signed_in: bool = False
    ) -> Identity:
        """A user of the password file; raises HTTPException 401, 429 or 503.

        signed_in: who asks has a cookie of that user.
        """
        network = person_of(client.address)
        known = signed_in or self._guesses.knows(name, network)
        self._guesses.check(name, network, known)
        try:
            right = await self._passwords.verify(name, password, known)
        except Busy:
            raise HTTPException(503, "too many people sign in at this moment") from None
        if not right:
            self._guesses.wrong(name)
            raise HTTPException(401, "wrong name or password", headers=CHALLENGE)
        self._guesses.right(name, network, known)
        mark = self._passwords.mark(name) or ""
        digest = self._sessions.digest(name, password)
        ends = expiry.now() + self._session
        return self._user(Session(name, ends, mark, secrets.token_hex(8), digest))

    def by_network(self, client: Client) -> Identity:
        """A device of a network from which anybody may watch; raises HTTPException 401 or 403."""
        why = why_unknown(client)
        if not why and within(client.address, self._access.anonymous):
            name = f"{RESERVED}{client.address}"
            return Identity(name, name, "network", self._operators.has(name))
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
        ends = identity.expires or 0
        about = Session(identity.name, ends, identity.mark, identity.session, identity.credential)
        return self._sessions.cookie(about, secure)

    def sign_out(self, identity: Identity) -> None:
        """End a sign-in, and what it has opened."""
        if identity.session:
            self._signed_out.add(identity.session, identity.expires or 0)
            self.review()

    def _header(self, connection: HTTPConnection) -> str | None:
        name = self._access.user_header
        return connection.headers.get(name) if name else None

    def _by_cookie(self, connection: HTTPConnection) -> Identity | None:
        token = connection.cookies.get(session.NAME)
        found = self._sessions.read(token) if token and self.has_users else None
        if token is None or found is None or self._passwords.mark(found.name) != found.mark:
            return None
        # Cookies of earlier versions have no id of their own.
        found = found._replace(id=found.id or hashlib.sha256(token.encode()).hexdigest()[:16])
        return None if found.id in self._signed_out else self._user(found)

    def _renewed(self, known: Identity, connection: HTTPConnection) -> Identity:
        if known.left < self._session / 2:
            known = replace(known, expires=expiry.now() + self._session)
            connection.scope[COOKIE] = known
        return known

    def _same(self, known: Identity, name: str, password: str) -> bool:
        """Whether that is the password by which the cookie was had."""
        digest = self._sessions.digest(name, password)
        return known.name == name and hmac.compare_digest(known.credential, digest)

    def _forgotten(self, connection: HTTPConnection, client: Client) -> Identity:
        """Whoever it is without the password that the browser sends."""
        try:
            return self.by_network(client)
        except HTTPException as refusal:
            if refusal.status_code != 401:
                raise
            raise HTTPException(401, refusal.detail, headers=challenge(connection)) from None

    def _user(self, found: Session) -> Identity:
        known = self._somebody(found.name, "password", found.expires)
        return replace(known, mark=found.mark, session=found.id, credential=found.credential)

    def _somebody(self, subject: str, way: Way, expires: float | None = None) -> Identity:
        subject = UNSEEN.sub("", subject).strip()
        name = subject.split("@")[0][:LONGEST]
        if not name or name.startswith(RESERVED):
            raise HTTPException(403, f"that is nobody's name: {subject[:LONGEST]!r}")
        # Never by the name alone: at another domain it may be anybody's.
        return Identity(name, subject, way, self._operators.has(subject), expires)


def challenge(connection: HTTPConnection) -> dict[str, str]:
    """Headers of a 401; whoever has signed out and was refused what it sent begins anew."""
    sent = "authorization" in connection.headers and session.SIGNED_OUT in connection.cookies
    return CHALLENGE | {"Set-Cookie": FORGET} if sent else CHALLENGE


def grant_of(identity: Identity) -> str:
    """What stands for a sign-in with a password elsewhere: see Identities.grant_over."""
    return f"{identity.name} {identity.mark} {identity.session}" if identity.mark else ""


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
