"""Answers are sent as they are read: in pieces, and only so many bytes wait for their readers."""

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from fastapi.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .client import SCOPE, person_of

PIECE = 16_384
"""Bytes that wait in the process for one client; uvicorn waits before each when it is slow."""
SHARE = 4
"""One address may have this part of all bytes that wait."""
TOO_MANY = {"detail": "too many answers wait to be read: read them, or ask again later"}


class Waiting:
    """Counts the bytes of answers that were made for one request and are not sent yet."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._by: Counter[str] = Counter()

    def fits(self, who: str, size: int) -> bool:
        """Whether there is room for one more answer; for the first one of an address there is."""
        mine = self._by[who]
        return not mine or (
            mine + size <= self._most // SHARE and self._by.total() + size <= self._most
        )

    @contextlib.contextmanager
    def held(self, who: str, size: int) -> Iterator[None]:
        """Count these bytes until they are sent."""
        self._by[who] += size
        try:
            yield
        finally:
            self._by[who] -= size
            if not self._by[who]:
                del self._by[who]


class Answers:
    """Cuts bodies into pieces; 503 when too much waits already, before anything is sent."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._waiting = Waiting(most)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            send = Paced(self._waiting, scope, receive, send).send
        await self._app(scope, receive, send)


class Paced:
    """The sending of one answer."""

    def __init__(self, waiting: Waiting, scope: Scope, receive: Receive, send: Send) -> None:
        self._waiting = waiting
        self._scope = scope
        self._receive = receive
        self._send = send
        self._start: Message | None = None
        self._refused = False

    async def send(self, message: Message) -> None:
        """Pass on what an application sends; the beginning when it is known how much follows.

        Of a stream the next part is made when this one has been taken.
        """
        if message["type"] == "http.response.start":
            self._start = message
            return
        body: bytes = message.get("body", b"")
        size = 0 if message.get("more_body") or len(body) <= PIECE else len(body)
        who = person_of(self._scope[SCOPE].address) if size else ""
        if self._start is not None:
            start, self._start = self._start, None
            if size and not self._waiting.fits(who, size):
                self._refused = True
                refusal = JSONResponse(TOO_MANY, 503, {"Retry-After": "5"})
                await refusal(self._scope, self._receive, self._send)
            else:
                await self._send(start)
        if self._refused:
            return
        if not size:
            await self._send(message)
            return
        with self._waiting.held(who, size):
            await send_pieces(self._send, body)
        await self._send({**message, "body": b""})


class Shared(Response):
    """An answer whose content is in memory anyway, for everybody: it waits for free."""

    def __init__(
        self, content: Sequence[bytes], media_type: str, headers: Mapping[str, str]
    ) -> None:
        size = {"Content-Length": str(sum(map(len, content)))}
        super().__init__(media_type=media_type, headers={**headers, **size})
        self._content = content

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        for part in self._content:
            await send_pieces(send, part)
        await send({"type": "http.response.body", "body": b""})


async def send_pieces(send: Send, content: bytes) -> None:
    """Send a part of a body, with more to come."""
    for place in range(0, len(content), PIECE):
        piece = content[place : place + PIECE]
        await send({"type": "http.response.body", "body": piece, "more_body": True})
