"""A WebSocket of uvicorn's whose transport can be written without a task switch."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable
from typing import Any, Protocol, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request

from .turns import Turns

EXTENSION = "beeper.wire"
MIN_RTT = 148
"""Where tcpi_min_rtt (µs, 32 bits) stands in tcp_info of linux/tcp.h."""
MAX_MESSAGE = 65_536
"""Bytes that a client may send in one message."""
MAX_FRAGMENTS = 64
"""Frames in which it may send them."""
SLICE = 1024
"""Bytes that are parsed in one go: at most 170 frames."""
BYTES_A_TOKEN = 256
"""A message costs one token, and one more for so many bytes on the wire."""
MUCH = 0.1
"""The part of what it may say at once, beyond which a connection waits for its turn."""
PATIENCE = 10.0
"""Seconds for which a connection may be behind with its turns, without a moment's pause."""
CLOSING = 2.0
"""Seconds that whoever broke the rules has to read why the connection is closed."""

# Close codes of RFC 6455 §7.4.1.
GOING_AWAY = 1001
POLICY = 1008
"""A message against the rules."""
FAILED = 1011
"""Something went wrong here."""


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

    def __init__(self, *args: Any, turns: Turns, **options: Any) -> None:
        super().__init__(*args, **options)
        self._turns = turns
        self._bucket = turns.bucket()
        self._unread = bytearray()
        self._waits = False
        self._waits_since = 0.0
        self._deaf = False
        self._pong = b""

    def data_received(self, data: bytes) -> None:
        """Parse what comes: at once from whoever says little, else when it is its turn."""
        if self._deaf:
            return
        self._unread += data
        if self._waits:
            return
        if len(self._unread) > SLICE or self._bucket.used > MUCH:
            self._waits = True
            self._waits_since = self.loop.time()
            self.transport.pause_reading()
            self._turns.wait(self)
        else:
            self.read_slice()

    def read_slice(self) -> bool:
        """Parse a little of what has come; whether more waits for its turn."""
        piece = bytes(self._unread[:SLICE])
        del self._unread[:SLICE]
        if piece and not self.transport.is_closing():
            super().data_received(piece)
            self._charge(len(piece) / BYTES_A_TOKEN)
        if self._deaf or self.transport.is_closing():
            self._unread.clear()
        if self._unread:
            return True
        if self._waits and not self._deaf:
            self.transport.resume_reading()
        self._waits = False
        return False

    def handle_events(self) -> None:
        self._charge(sum(isinstance(event, Frame) for event in self.conn.events))
        super().handle_events()

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) < MAX_FRAGMENTS:
            super().handle_cont(event)
        else:
            self._refuse(f"a message in more than {MAX_FRAGMENTS} fragments")

    def handle_ping(self) -> None:
        pong = b"".join(self.conn.data_to_send())
        if self.writable.is_set():
            self.transport.write(pong)
        elif pong:
            # RFC 6455 §5.5.3: of several pings only the newest need be answered.
            self._pong = pong

    def _charge(self, tokens: float) -> None:
        if self._waits:
            # However slowly they are parsed here: whoever sends faster than that sends too much.
            self._bucket.skip()
        late = self._waits and self.loop.time() - self._waits_since > PATIENCE
        if tokens and (self._bucket.take(tokens) or late):
            self._refuse("too many messages a second")

    def _refuse(self, reason: str) -> None:
        """Hear nothing more, and close; whoever reads learns why."""
        if self._deaf:
            return
        self._deaf = True
        self.frames = []
        self.transport.pause_reading()
        if self.listener:
            self.listener.complain(reason)
            self.loop.call_later(CLOSING, self.transport.abort)
        else:
            self.transport.abort()

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
        """Seconds of the quickest round trip that the kernel has seen (tcp_info, tcp(7)).

        0 when the connection has ended.
        """
        about = self.transport.get_extra_info("socket")
        with contextlib.suppress(OSError):  # EBADF: closed, which nobody has been told of yet
            info = about.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, MIN_RTT + 4)
            return int.from_bytes(info[MIN_RTT:], sys.byteorder) / 1e6
        return 0.0

    def abort(self) -> None:
        """End the connection without waiting for what is still unsent."""
        self.transport.abort()

    def send_receive_event_to_app(self) -> None:
        if self.listener is None:
            super().send_receive_event_to_app()
            return
        data, self.frames = b"".join(self.frames), []
        if self.close_sent or self._deaf:
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
        if self._pong:
            self.transport.write(self._pong)
            self._pong = b""
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
