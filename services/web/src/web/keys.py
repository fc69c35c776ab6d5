"""The public keys with which a Cloudflare Access team signs, fetched when they are needed."""

import asyncio
import json
import logging
from time import monotonic

import httpx
import jwt
from jwt import PyJWK, PyJWKSet

log = logging.getLogger(__name__)

MAX_BYTES = 262_144
FIRST_PAUSE = 5.0
"""Seconds between two attempts, at most, while there are no keys at all."""


class NoKeys(Exception):
    """No key was ever had."""


class TeamKeys:
    """The last good set (RFC 7517), by key id; it is kept while the key server is away."""

    def __init__(self, url: str, timeout: float, max_age: float, pause: float) -> None:
        self._url = url
        self._timeout = timeout
        self._max_age = max_age
        self._pause = pause
        self._keys: dict[str, PyJWK] = {}
        self._fetched = self._tried = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, key_id: str) -> PyJWK | None:
        """The key of that id, None when the team has none; raises NoKeys."""
        if key_id not in self._keys:
            await self._refresh()
        elif monotonic() - self._fetched > self._max_age:
            self._begin()
        if not self._keys:
            raise NoKeys
        return self._keys.get(key_id)

    async def _refresh(self) -> None:
        self._begin()
        if self._fetching:
            await asyncio.shield(self._fetching)

    def _begin(self) -> None:
        if self._fetching and not self._fetching.done():
            return
        self._fetching = None
        pause = self._pause if self._keys else min(self._pause, FIRST_PAUSE)
        if monotonic() - self._tried >= pause:
            self._tried = monotonic()
            self._fetching = asyncio.create_task(self._fetch())

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                keys = read_keys(await download(self._url, self._timeout))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError) as error:
            what = str(error) or type(error).__name__
            log.warning("no new keys from %s: %s", self._url, what)
            return
        self._keys = keys
        self._fetched = monotonic()


async def download(url: str, patience: float) -> bytes:
    """The answer's body; raises httpx.HTTPError, or ValueError when it is too long."""
    body = b""
    async with (
        httpx.AsyncClient(timeout=patience) as client,
        client.stream("GET", url) as answer,
    ):
        answer.raise_for_status()
        async for part in answer.aiter_bytes():
            body += part
            if len(body) > MAX_BYTES:
                raise ValueError(f"more than {MAX_BYTES} bytes")
    return body


def read_keys(document: bytes) -> dict[str, PyJWK]:
    """The RSA keys of a JWK set by their id; raises ValueError when it has none."""
    try:
        keys = PyJWKSet.from_dict(json.loads(document)).keys
    except (jwt.PyJWTError, AttributeError, TypeError, RecursionError) as error:
        raise ValueError(f"not a JWK set: {error}") from None
    found = {
        key.key_id: key
        for key in keys
        if key.key_id and key.key_type == "RSA" and key.algorithm_name == "RS256"
    }
    if not found:
        raise ValueError("no RSA key among them")
    return found
