"""HTTP/1.1 as uvicorn speaks it, with an end to what a client may send, and to how long it takes.

uvicorn and httptools keep whatever comes before the end of a head, and wait for it for ever.
"""

import asyncio
import contextlib
import socket
import struct
from enum import Enum, auto
from http import HTTPStatus
from time import monotonic
from typing import Any, cast

import httptools
from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from . import request_head
from .client import SCOPE, Client, person_of, read_address, within
from .connections import Connections
from .refusals import Refusals
from .settings import Networks, Web

PIECE = 4096
"""Bytes that are parsed at a time: how far beyond a limit anything can get."""
MOST_HELD = 1_048_576
"""Bytes of pipelined requests that wait for the answers to those before them."""
FRAMING = 8
"""Bytes of chunk framing for each byte of a body."""
LINGER = 2.0
"""Seconds in which a refusal can be read while the rest of the request is thrown away."""


AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER without lingering, socket(7)."""


class Phase(Enum):
    """What comes next from the client."""

    IDLE = auto()
    HEAD = auto()
    BODY = auto()
    REFUSED = auto()
    """Nothing that counts."""


class Http(HttpToolsProtocol):
    """One connection; its limits are those of `[web]`."""

    def __init__(
        self,
        config: Config,
        state: ServerState,
        web: Web,
        proxies: Networks,
        connections: Connections,
        refusals: Refusals,
    ) -> None:
        super().__init__(config, state, {})
        self.peer = ""
        self.moved = self._since = monotonic()
        self._address = ""
        self._web = web
        self._proxies = proxies
        self._all = connections
        self._refusals = refusals
        self._phase = Phase.IDLE
        self._answered = False
        self._running: RequestResponseCycle | None = None
        self._held = b""
        self._waiting = 0
        self._head = 0
        self._body = 0
        self._framing = 0

    @property
    def person(self) -> str:
        """Who asks: behind a trusted proxy, whom that one names."""
        scope = cast(dict[str, Any], self._running.scope) if self._running else {}
        client: Client | None = scope.get(SCOPE)
        return person_of(client.address) if client else self._address

    # The life of a connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)
        self._since = monotonic()
        if self.client is None:
            # It has gone before we could ask who it is.
            transport.abort()
            return
        address = read_address(self.client[0])
        self._address = person_of(address)
        self.peer = "" if within(address, self._proxies) else self._address
        self._all.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._all.remove(self)
        self._held = b""
        self._abandon()
        super().connection_lost(exc)

    def drop(self) -> None:
        """Close it at once; what the kernel still holds for it is thrown away too (RST)."""
        about = self.transport.get_extra_info("socket")
        with contextlib.suppress(OSError):
            about.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        self.transport.abort()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.moved = monotonic()
        self._all.blocked(self)

    def resume_writing(self) -> None:
        super().resume_writing()
        self.moved = monotonic()
        self._all.flows(self)

    def check(self, now: float) -> None:
        """End it when its client has let us wait for too long."""
        waited = now - self._since
        if left := self.transport.get_write_buffer_size():
            if left != self._waiting:
                self._waiting, self.moved = left, now
            elif now - self.moved > self._web.unread:
                self.drop()
        elif self._phase is Phase.REFUSED:
            if waited > LINGER and not self._busy:
                # Without RST: the refusal may still be on its way.
                self.transport.abort()
        elif self._phase is Phase.BODY:
            if waited > self._web.body_wait:
                self._refuse(408, f"the body did not come within {self._web.body_wait:g} s")
        elif self._busy or waited < self._web.head_wait:
            return
        elif self._phase is Phase.HEAD:
            self._refuse(408, f"the request did not come within {self._web.head_wait:g} s")
        elif not self._answered:
            self.transport.close()

    @property
    def _busy(self) -> bool:
        return self._running is not None and not self._running.response_complete

    # What comes

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self._phase is Phase.REFUSED:
            self._head += len(data)
            if self._head > MOST_HELD:
                self.flow.pause_reading()
            return
        if self._held:
            # Reading is paused; what had come before is kept, up to a limit.
            self.flow.pause_reading()
            self._held += data
            if len(self._held) > MOST_HELD:
                self.drop()
            return
        self._feed(data)

    def _feed(self, data: bytes) -> None:
        for place in range(0, len(data), PIECE):
            if self.pipeline:
                self._held = data[place:]
                self.flow.pause_reading()
                return
            self._parse(data[place : place + PIECE])
            if self._phase is Phase.REFUSED:
                return

    def _parse(self, piece: bytes) -> None:
        before = self._body
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            self._upgrade()
            return
        except httptools.HttpParserInvalidMethodError:
            self._refuse(*request_head.no_method(piece))
        except httptools.HttpParserError:
            self._refuse(400, "this is no HTTP request")
        if self._phase is Phase.BODY:
            self._framing += len(piece) - (self._body - before)
        elif self._phase is not Phase.REFUSED:
            self._head += len(piece)
        self._weigh()

    def _weigh(self) -> None:
        """Refuse what is too long, while it comes."""
        web = self._web
        if self._phase is Phase.HEAD and len(self.url) > web.max_line:
            self._refuse(414, f"the target has more than {web.max_line} bytes")
        elif self._head > web.max_head or self._framing > web.max_head + FRAMING * self._body:
            self._refuse(431, f"more than {web.max_head} bytes of headers or trailers")
        elif self._body > web.max_body + PIECE:
            self._refuse(413, f"more than {web.max_body} bytes of a body")

    def _upgrade(self) -> None:
        if self._phase is Phase.REFUSED:
            return
        self._end_of_input()
        if self._should_upgrade():
            self._all.remove(self)
            self.handle_websocket_upgrade()
        else:
            # RFC 9110 §7.8: what we do not know is answered as if it had not been asked for.
            self.cycle.keep_alive = False

    def _end_of_input(self) -> None:
        self._phase, self._since = Phase.REFUSED, monotonic()

    # What the parser finds

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._phase is Phase.IDLE:
            self._phase = Phase.HEAD
            if self._answered:
                self._since = monotonic()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._phase is not Phase.HEAD:
            # A trailer: never a header of the request, which has been judged already.
            return
        super().on_header(name, value)
        if len(self.headers) > self._web.max_headers:
            self._refuse(431, f"more than {self._web.max_headers} headers")

    def on_headers_complete(self) -> None:
        if self._phase is not Phase.HEAD:
            return
        method, version = self.parser.get_method(), self.parser.get_http_version()
        try:
            self.url = request_head.check(method, self.url, version, self.headers)
            if len(self.url) > self._web.max_line:
                raise request_head.RequestError(414, "the target is too long")
        except request_head.RequestError as error:
            self._refuse(error.status, str(error))
            return
        self._phase, self._since = Phase.BODY, monotonic()
        self._body = self._framing = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._phase is Phase.BODY:
            self._body += len(body)
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self._phase is Phase.BODY:
            super().on_message_complete()
            self._phase, self._head = Phase.IDLE, 0
            self._body = self._framing = 0
            self._all.busy(self)

    # What is answered

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGIApp) -> None:  # type: ignore[override]
        self._running = cycle
        super()._start_asgi_task(cycle, app)  # type: ignore[arg-type]

    def on_response_complete(self) -> None:
        self._answered = True
        if self._phase is not Phase.BODY:
            self._since = monotonic()
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if not self.pipeline and self._held:
            data, self._held = self._held, b""
            self._feed(data)
        if not self._busy and self._phase is not Phase.REFUSED:
            self._all.wait(self)

    def _refuse(self, status: int, reason: str) -> None:
        """Answer where nothing has been answered yet, and throw away what still comes."""
        if self._phase is Phase.REFUSED:
            return
        self._refusals.count(self.peer, f"{status} {reason}")
        own = self.cycle if self._phase is Phase.BODY else None
        self._end_of_input()
        if self._busy and self._running is not own:
            # The answers to what was asked before come first; then the connection ends.
            (self.pipeline[0][0] if self.pipeline else self.cycle).keep_alive = False
            return
        if own is not None and own.response_started and not own.response_complete:
            self.drop()
            return
        if own is None or not own.response_started:
            self._abandon()
            self.transport.write(self._answer(status, reason))
        self.transport.write_eof()

    def _answer(self, status: int, reason: str) -> bytes:
        body = f"{reason}\n".encode()
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"connection", b"close"),
        ]
        lines = [b"%s: %s\r\n" % header for header in headers]
        first = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
        return b"".join([first, *lines, b"\r\n", body])

    def _abandon(self) -> None:
        """Let the routes at work know that nobody waits for their answers."""
        self.pipeline.clear()
        for cycle in (self._running, self.cycle):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        self._running = None
        self.flow.resume_writing()
