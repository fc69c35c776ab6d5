"""The token that Cloudflare Access adds to each request, verified.

Cloudflare One, "Validate JWTs" and "Application token": RS256 by a key of the team, issuer,
audience, times, type. Nothing in it counts before all of that holds.
"""

from typing import Any, NamedTuple

import jwt

from . import expiry
from .keys import NoKeys, TeamKeys
from .settings import Access

HEADER = "cf-access-jwt-assertion"
ALGORITHM = "RS256"
MAX_LENGTH = 16_384
CLAIMS = ["exp", "iat", "iss", "aud"]


class Rejected(Exception):
    """The token proves nothing; the text says why."""


class Claims(NamedTuple):
    """What a verified token says."""

    subject: str
    """E-mail address, or the name of a service token."""
    expires: float
    """Unix time."""


class Assertions:
    """Verifies the tokens of one application of one team."""

    def __init__(self, access: Access) -> None:
        self._issuer = f"https://{access.team_domain}"
        self._audience = access.audience
        self._leeway = access.leeway
        url = access.keys_url or f"{self._issuer}/cdn-cgi/access/certs"
        self._keys = TeamKeys(url, access.keys_timeout, access.keys_max_age, access.keys_pause)

    async def verify(self, token: str) -> Claims:
        """Who it is and how long; raises Rejected."""
        key = await self._key(token)
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=self._audience,
                issuer=self._issuer,
                options={
                    "require": CLAIMS,
                    # Held against the station's clock, not against one reading of the machine's.
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
            expiry.check(claims, self._leeway)
        except jwt.PyJWTError as error:
            raise Rejected(str(error)) from None
        if claims.get("type") != "app":
            raise Rejected("it is no application token")
        return Claims(subject_of(claims), float(claims["exp"]))

    async def _key(self, token: str) -> jwt.PyJWK:
        if len(token) > MAX_LENGTH:
            raise Rejected("it is too long")
        try:
            head = jwt.get_unverified_header(token)
        except jwt.PyJWTError as error:
            raise Rejected(str(error)) from None
        if head.get("alg") != ALGORITHM:
            raise Rejected(f"it is not signed with {ALGORITHM}")
        try:
            key = await self._keys.find(str(head.get("kid", "")))
        except NoKeys:
            raise Rejected("the team's keys cannot be had at the moment") from None
        if key is None:
            raise Rejected("the team has no such key")
        return key


def subject_of(claims: dict[str, Any]) -> str:
    """The e-mail address, or the common name of a service token; raises Rejected."""
    for name in ("email", "common_name"):
        value = claims.get(name)
        if isinstance(value, str) and value:
            return value
    raise Rejected("it names nobody")
