"""WebSockets that say more than any page: what they send, and how they are ended."""

import base64
import os
import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from conftest import DEADLINE

TEXT, BINARY, CONTINUED, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10
FIN = 0x80


def frame(payload: bytes, opcode: int = TEXT, *, fin: bool = True) -> bytes:
    """A frame of a client (RFC 6455 §5.2), masked with zeros."""
    size = len(payload)
    length = (
        bytes([FIN | size])
        if size < 126
        else struct.pack(">BH", FIN | 126, size)
        if size < 65_536
        else struct.pack(">BQ", FIN | 127, size)
    )
    return bytes([(FIN if fin else 0) | opcode]) + length + bytes(4) + payload


SAY = b'{"type":"say","id":"%s","message":"%s"}'
FLOODS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "pings": ("/events", lambda: frame(b'{"type":"ping","id":1}') * 200),
    "acks": ("/live/csi", lambda: frame(b'{"type":"ack","seq":1}') * 200),
    "audio": (
        "/live/csi",
        lambda: (
            100 * (frame(b'{"type":"audio","on":true}') + frame(b'{"type":"audio","on":false}'))
        ),
    ),
    "heartbeats": (
        "/events",
        lambda: 100 * frame(b'{"type":"heartbeat","session":"one","state":"viewing"}'),
    ),
    "talk": ("/events", lambda: frame(SAY % (os.urandom(16).hex().encode(), b"x" * 4000))),
    "WebSocket pings": ("/live/csi", lambda: 200 * frame(b"x" * 125, PING)),
    "WebSocket pongs": ("/events", lambda: 200 * frame(b"", PONG)),
    "empty fragments": (
        "/events",
        lambda: frame(b"x", fin=False) + 2000 * frame(b"", CONTINUED, fin=False),
    ),
    "binary": ("/live/csi", lambda: frame(b"x", BINARY)),
    "unknown": ("/events", lambda: frame(b'{"type":"unknown"}')),
}
"""By name: the path, and what is sent there again and again."""


class End(NamedTuple):
    """How a socket ended: the close code and the reason, 0 without a close frame."""

    code: int
    reason: str


def opened(port: int, path: str, headers: str = "") -> tuple[socket.socket, bytes]:
    """A socket whose handshake was answered, and the first line of the answer."""
    line = socket.create_connection(("127.0.0.1", port), DEADLINE)
    key = base64.b64encode(os.urandom(16)).decode()
    line.sendall(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
        f"Sec-WebSocket-Version: 13\r\n{headers}\r\n".encode()
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = line.recv(1)
        if not byte:
            break
        head += byte
    return line, head.partition(b"\r\n")[0]


def flood(port: int, name: str, headers: str = "") -> End:
    """Send until the server has closed; raises TimeoutError when it never does."""
    path, make = FLOODS[name]
    line, answer = opened(port, path, headers)
    with line:
        return exhaust(line, make) if b" 101 " in answer else End(0, answer.decode())


def exhaust(line: socket.socket, make: Callable[[], bytes]) -> End:
    """Send and read until the end; TimeoutError when it does not come."""
    line.setblocking(False)
    deadline = time.monotonic() + 2 * DEADLINE
    received = b""
    waits: bytes | None = b""
    while time.monotonic() < deadline:
        readable, writable, _ = select.select([line], [line] if waits is not None else [], [], 1)
        if readable:
            try:
                data = line.recv(65_536)
            except OSError:
                data = b""
            if not data:
                return End(0, "")
            received += data
            for opcode, payload in frames_of(received):
                if opcode == CLOSE:
                    return End(struct.unpack(">H", payload[:2])[0], payload[2:].decode())
            received = tail(received)
        if writable and waits is not None:
            waits = waits or make()
            try:
                waits = waits[line.send(waits) :]
            except OSError:
                waits = None
    raise TimeoutError("the flood was never ended")


def frames_of(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The whole frames of a server."""
    while (size := whole(data)) is not None:
        start, end = size
        yield data[0] & 15, data[start:end]
        data = data[end:]


def tail(data: bytes) -> bytes:
    """What is no whole frame yet."""
    while (size := whole(data)) is not None:
        data = data[size[1] :]
    return data


def whole(data: bytes) -> tuple[int, int] | None:
    """Where the payload of the first frame begins and ends; None when it is not whole."""
    if len(data) < 2:
        return None
    short = data[1] & 127
    start = 2 if short < 126 else 4 if short == 126 else 10
    if len(data) < start:
        return None
    size = short if short < 126 else int.from_bytes(data[2:start])
    return (start, start + size) if len(data) >= start + size else None
