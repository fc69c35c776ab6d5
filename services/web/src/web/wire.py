"""A WebSocket of uvicorn's whose transport can be written without a task switch."""

import asyncio
import socket
import sys
from collections.abc import Callable
from typing import Any, Protocol, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request

EXTENSION = "beeper.wire"
MIN_RTT = 148
"""Where tcpi_min_rtt (µs, 32 bits) stands in tcp_info of linux/tcp.h."""
MAX_MESSAGE = 65_536
"""Bytes that a client may send in one message."""

# Close codes of RFC 6455 §7.4.1.
GOING_AWAY = 1001
POLICY = 1008
"""A message against the rules."""


def text_frame(text: str) -> bytes:
    """A text message as it goes over the wire; made once for all who get it."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


def binary_frame(data: bytes) -> bytes:
    """A binary message as it goes over the wire; made once for all who get it."""
    return Frame(Opcode.BINARY, data).serialize(mask=False)


class Listener(Protocol):
    """Who has taken a wire over; all of these are called on the event loop and never wait."""

    def heard(self, data: bytes) -> None:
        """A text message has come."""

    def complain(self, reason: str) -> None:
        """Something came that is against the protocol."""

    def pause(self) -> None:
        """The kernel takes no more."""

    def resume(self) -> None:
        """It takes some again."""

    def gone(self) -> None:
        """The connection has ended."""


class Wire(WebSocketsSansIOProtocol):
    """After `attach` messages bypass the ASGI queue, and `write` takes whole frames.

    What is written here may mix with uvicorn's own pings and close frames, since every call
    writes whole unfragmented frames.
    """

    listener: Listener | None = None
    write: Callable[[bytes], None]
    """Sends frames and never waits; the listener is paused when the kernel did not take all."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            extensions = cast(dict[str, Any], self.scope["extensions"])
            extensions[EXTENSION] = self

    def attach(self, listener: Listener) -> None:
        """Hand the accepted connection over; the transport then pauses at the first full buffer."""
        self.listener = listener
        self.transport.set_write_buffer_limits(high=0)
        self.write = self.transport.write
        if self.disconnected:
            listener.gone()
        while not self.queue.empty():
            early = self.queue.get_nowait()
            if early["type"] == "websocket.receive":
                listener.complain("something was said before the handshake was answered")

    def distance(self) -> float:
        """Seconds of the quickest round trip that the kernel has seen (tcp_info, tcp(7))."""
        about = self.transport.get_extra_info("socket")
        info = about.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, MIN_RTT + 4)
        return int.from_bytes(info[MIN_RTT:], sys.byteorder) / 1e6

    def abort(self) -> None:
        """End the connection without waiting for what is still unsent."""
        self.transport.abort()

    def send_receive_event_to_app(self) -> None:
        if self.listener is None:
            super().send_receive_event_to_app()
            return
        data, self.frames = b"".join(self.frames), []
        if self.close_sent:
            return
        if self.curr_msg_data_type == "text":
            self.listener.heard(data)
        else:
            self.listener.complain("binary messages are not understood")

    def handle_parser_exception(self) -> None:
        if self.listener and self.conn.close_sent:
            self.listener.complain(self.conn.close_sent.reason or "not a WebSocket message")
        super().handle_parser_exception()

    def shutdown(self) -> None:
        # Whoever has taken it over closes it with a reason (1001); uvicorn would say 1012.
        if self.listener is None or self.close_sent:
            super().shutdown()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.listener:
            self.listener.pause()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.listener:
            self.listener.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.listener:
            self.listener.gone()


class Ending:
    """How a taken-over connection ends: by the peer (None), or with a close code and a reason."""

    def __init__(self) -> None:
        self._over: asyncio.Future[tuple[int, str] | None] = (
            asyncio.get_running_loop().create_future()
        )

    def set(self, close: tuple[int, str] | None) -> None:
        """The first ending counts."""
        if not self._over.done():
            self._over.set_result(close)

    async def wait(self) -> tuple[int, str] | None:
        """Until it is over."""
        return await self._over
