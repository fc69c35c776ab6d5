"""A source over HTTP: what it is, and its bytes; Motion JPEG and stills as whole pictures."""

import asyncio
import os
import re
import socket
import ssl
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager
from typing import Literal

import httpx
from bus.address import Address
from media.cause import cause
from media.clock import boottime
from media.jpeg_stream import JpegStream, JpegStreamError

from .source import SourceError

Kind = Literal["jpeg", "bytes", "other"]

PATIENCE = 10.0
"""Seconds to the first byte of an answer."""
FASTEST = 5.0
"""Stills a second: each is a request, and no camera is made for more."""
_PAGE = re.compile(rb"\s*(<!doctype html|<html)", re.IGNORECASE)
_PLAYLIST = re.compile(rb"\s*(#EXTM3U|<\?xml|<MPD)")
_JPEG = re.compile(rb"\s*(--|\xff\xd8\xff)")


class Login(httpx.Auth):
    """Digest where the camera offers it, else Basic; nothing before it asks."""

    def __init__(self, username: str, password: str) -> None:
        self._digest = httpx.DigestAuth(username, password)
        self._basic = httpx.BasicAuth(username, password)
        self._chosen: httpx.Auth | None = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """See httpx.Auth."""
        if self._chosen:
            yield from self._chosen.auth_flow(request)
            return
        response = yield request
        offered = response.headers.get("www-authenticate", "").lower()
        if response.status_code != httpx.codes.UNAUTHORIZED or not offered:
            return
        self._chosen = self._digest if "digest" in offered else self._basic
        flow = self._chosen.auth_flow(request)
        again = next(flow)
        # Its own first request is the one that has just been made.
        yield flow.send(response) if self._chosen is self._digest else again


class HttpSource:
    """An open answer.

    kind: `jpeg` gives pictures, `bytes` are for ffmpeg to read, `other` is for it to open itself:
    lists of segments, and recordings, whose ends are known.
    """

    def __init__(self, client: httpx.AsyncClient, address: Address) -> None:
        self._client = client
        self._address = address
        self._chunks: AsyncIterator[bytes] = _none()
        self._first = b""
        self.kind: Kind = "other"
        self.segments = self.recording = False
        self.response: httpx.Response | None = None

    async def ask(self, **headers: str) -> None:
        """Ask for it, up to its first bytes; SourceError says why there are none."""
        await self.close()
        try:
            async with asyncio.timeout(PATIENCE):
                request = self._client.build_request("GET", self._address.bare, headers=headers)
                self.response = await self._client.send(request, stream=True)
                self._check(self.response)
                self._chunks = self.response.aiter_raw()
                self._first = await anext(self._chunks, b"")
        except TimeoutError:
            raise SourceError(f"no answer within {PATIENCE:g} s") from None
        except httpx.InvalidURL:
            raise SourceError("its address is no URL of HTTP") from None
        except httpx.HTTPError as error:
            raise self._in_words(error) from None
        self.kind = self._judge(self.response.headers)

    def _check(self, response: httpx.Response) -> None:
        if response.status_code >= httpx.codes.BAD_REQUEST:
            line = f"{response.status_code} Error"
            login = bool(self._address.userinfo)
            raise SourceError(cause([line], login=login, port=None) or line)

    def _judge(self, headers: httpx.Headers) -> Kind:
        content = headers.get("content-type", "").lower()
        if _PAGE.match(self._first):
            raise SourceError("the camera answered with a web page")
        pictures = content.startswith(("multipart/", "image/jpeg", "video/x-motion-jpeg"))
        if pictures or "mjpeg" in content or _JPEG.match(self._first):
            return "jpeg"
        if _PLAYLIST.match(self._first) or "mpegurl" in content or "dash+xml" in content:
            self.segments = True
            self.recording = b"#EXT-X-ENDLIST" in self._first
            return "other"
        self.recording = "content-length" in headers
        return "other" if self.recording or self._first[4:8] == b"ftyp" else "bytes"

    async def chunks(self) -> AsyncIterator[bytes]:
        """All that it sends; SourceError when it breaks off."""
        yield self._first
        try:
            async for chunk in self._chunks:
                yield chunk
        except httpx.HTTPError as error:
            raise self._in_words(error) from None

    async def pictures(self, fps: float) -> AsyncIterator[bytes]:
        """JPEGs as they come; of a still, asked for again `fps` times a second.

        A still that has not changed since is given again: it is how things look now.
        """
        picture = b""
        pause = 1 / min(fps, FASTEST)
        while True:
            begun = boottime()
            count = 0
            async for found in self._whole():
                picture, count = found, count + 1
                yield picture
            unchanged = self.response and self.response.status_code == httpx.codes.NOT_MODIFIED
            if count > 1 or (count == 0 and not (unchanged and picture)):
                raise SourceError("it ended" if count else "what it sends is no JPEG")
            if unchanged:
                yield picture
            await asyncio.sleep(begun + pause - boottime())
            await self.ask(**self._condition())

    async def _whole(self) -> AsyncIterator[bytes]:
        stream = JpegStream()
        try:
            async for chunk in self.chunks():
                for picture in stream.feed(chunk):
                    yield picture
        except JpegStreamError as error:
            raise SourceError(str(error)) from None

    def _condition(self) -> dict[str, str]:
        known = self.response.headers if self.response else httpx.Headers()
        fields = {"etag": "if-none-match", "last-modified": "if-modified-since"}
        return {ask: known[name] for name, ask in fields.items() if name in known}

    def _in_words(self, error: httpx.HTTPError) -> SourceError:
        said = " ".join(_told(error))
        if isinstance(error, httpx.RemoteProtocolError):
            broken = "what it answers is no HTTP"
            return SourceError("it broke the connection off" if "closed" in said else broken)
        known = cause([said], login=False, port=self._address.port)
        return SourceError(known or self._address.hide(str(error) or type(error).__name__))

    async def close(self) -> None:
        """Let go of the answer."""
        if self.response:
            await self.response.aclose()


@asynccontextmanager
async def opened(address: Address) -> AsyncIterator[HttpSource]:
    """An answer, asked for and judged; SourceError says why there is none."""
    # Cameras sign their certificates themselves; what ffmpeg opens is not checked either.
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    async with httpx.AsyncClient(
        verify=tls,
        auth=Login(address.username, address.password) if address.userinfo else None,
        follow_redirects=True,
        trust_env=False,
        timeout=httpx.Timeout(None, connect=PATIENCE),
        headers={"user-agent": "beeper-keeper", "accept": "*/*", "accept-encoding": "identity"},
    ) as client:
        source = HttpSource(client, address)
        try:
            await source.ask()
            yield source
        finally:
            await source.close()


def _told(error: BaseException) -> Iterator[str]:
    """What an error and those that it comes from say, in the system's words."""
    if isinstance(error, socket.gaierror):
        yield f"Failed to resolve hostname: {error.strerror}"
    elif isinstance(error, OSError) and error.errno:
        yield os.strerror(error.errno)
    else:
        yield str(error)
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    for each in (*inner, error.__cause__ or error.__context__):
        if each:
            yield from _told(each)


async def _none() -> AsyncIterator[bytes]:
    return
    yield b""
