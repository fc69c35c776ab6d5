"""What strangers do to a web server with sockets alone, each bounded in number and time.

Every attack answers with a count of what became of its connections: `connected`, `closed` (by the
server), the status of each first answer, and `failed` (never connected).
"""

import asyncio
import contextlib
import resource
import select
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import NamedTuple, cast

HOST = "Host: 127.0.0.1\r\n"
LIBRARY = "/static/vendor/livekit.mjs"
AT_ONCE = 64
"""Connections that are begun at the same time: more than the kernel queues would be lost."""

Attack = Callable[[int], Awaitable[Counter[str]]]
"""An attack on a port of this machine."""


class Habit(NamedTuple):
    """How a connection behaves: what it says at first, and again, and whether it reads."""

    first: bytes = b""
    again: bytes = b""
    every: float = 1.0
    """Seconds."""
    reads: bool = True


class Client(asyncio.Protocol):
    """One connection of an attack."""

    def __init__(self, habit: Habit) -> None:
        self.habit = habit
        self.status = ""
        self.over = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        if not self.habit.reads:
            self.transport.pause_reading()
        self.transport.write(self.habit.first)

    def data_received(self, data: bytes) -> None:
        self.status = self.status or data[9:12].decode("latin-1")

    def connection_lost(self, exc: Exception | None) -> None:
        self.over.set()

    async def insist(self, seconds: float) -> None:
        """Go on for some time, or until the server has closed the connection."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.over.wait(), min(left, self.habit.every))
                return
            if self.transport.is_closing():
                continue
            if cut_off(self.transport.get_extra_info("socket").fileno()):
                self.over.set()
                return
            if self.habit.again:
                self.transport.write(self.habit.again)


def cut_off(descriptor: int) -> bool:
    """Whether the server has ended a connection, as far as can be seen without reading from it."""
    poll = select.poll()
    poll.register(descriptor, select.POLLRDHUP)
    return bool(poll.poll(0))


async def connect(port: int, habit: Habit) -> Client:
    """Open one connection; raises OSError."""
    about = socket.socket()
    about.setblocking(False)
    if not habit.reads:
        about.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_connect(about, ("127.0.0.1", port))
        _, client = await loop.create_connection(lambda: Client(habit), sock=about)
    except BaseException:
        about.close()
        raise
    return client


async def hold(port: int, count: int, seconds: float, habit: Habit) -> Counter[str]:
    """Keep that many connections open at once."""
    allow_descriptors(count + 100)
    became: Counter[str] = Counter()
    gate = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        try:
            async with gate:
                client = await asyncio.wait_for(connect(port, habit), 10)
        except OSError:
            became["failed"] += 1
            return
        became["connected"] += 1
        await client.insist(seconds)
        became[client.status or "silent"] += 1
        became["closed"] += client.over.is_set()
        client.transport.abort()

    await asyncio.gather(*(one() for _ in range(count)))
    return became


async def pour(port: int, first: bytes, piece: bytes, megabytes: int) -> Counter[str]:
    """Send without end on one connection, as fast as the server takes it."""
    became: Counter[str] = Counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    # At once: a connection that ends in an error is not read any more.
    answer = asyncio.create_task(reader.read(64))
    with contextlib.suppress(OSError):
        writer.write(first)
        for _ in range(megabytes * 1_000_000 // len(piece)):
            writer.write(piece)
            await writer.drain()
            became["bytes"] += len(piece)
    with contextlib.suppress(OSError, TimeoutError):
        became[(await asyncio.wait_for(answer, 5))[9:12].decode() or "silent"] += 1
    await end(writer)
    return became


async def flood(port: int, count: int, seconds: float, request: bytes) -> Counter[str]:
    """Ask again and again on that many connections, each after the answer to the last."""
    became: Counter[str] = Counter()
    over = time.monotonic() + seconds

    async def one() -> None:
        while time.monotonic() < over:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                try:
                    while time.monotonic() < over:
                        writer.write(request)
                        became[await asyncio.wait_for(answered(reader), 10)] += 1
                finally:
                    await end(writer)
                continue
            became["lost"] += 1

    await asyncio.gather(*(one() for _ in range(count)))
    return became


async def end(writer: asyncio.StreamWriter) -> None:
    """Cut a connection off."""
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def answered(reader: asyncio.StreamReader) -> str:
    """The status of one whole answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = head.partition("content-length: ")[2].split("\r\n")[0]
    await reader.readexactly(int(length or 0))
    return head[9:12]


def allow_descriptors(count: int) -> None:
    """Raise this process's soft limit, as far as the hard one allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(count, hard)), hard))


def get(path: str, headers: str = "") -> bytes:
    """A request without a body."""
    return f"GET {path} HTTP/1.1\r\n{HOST}{headers}\r\n".encode()


def begun(method: str = "GET", path: str = "/healthz", more: str = "") -> bytes:
    """A request whose end is still to come."""
    return f"{method} {path} HTTP/1.1\r\n{HOST}{more}".encode()


HALF = Habit(begun(more="X-A: "))
DRIP = Habit(begun(), b"a: b\r\n", every=2)
BODY = begun("POST", "/api/chat/send", "Content-Length: 1000\r\n\r\n{")
CHUNKED = begun("POST", "/api/chat/send", "Transfer-Encoding: chunked\r\n\r\n")
HOPS = ",".join(["10.0.0.1"] * 2000)

ATTACKS: dict[str, Attack] = {
    "1,100 silent connections": lambda port: hold(port, 1100, 12, Habit()),
    "1,100 halves of a request": lambda port: hold(port, 1100, 12, HALF),
    "500 headers that drip": lambda port: hold(port, 500, 30, DRIP),
    "500 bodies that drip": lambda port: hold(port, 500, 30, Habit(BODY, b" ", every=2)),
    "500 bodies that never come": lambda port: hold(port, 500, 30, Habit(BODY)),
    "200 × 200 unread pipelined answers": lambda port: hold(
        port, 200, 30, Habit(get("/openapi.json") * 200, reads=False)
    ),
    "1,000 unread files": lambda port: hold(port, 1000, 30, Habit(get(LIBRARY), reads=False)),
    "1,000 unread descriptions": lambda port: hold(
        port, 1000, 30, Habit(get("/openapi.json"), reads=False)
    ),
    "1,000 unread streams of JPEGs": lambda port: hold(
        port, 1000, 30, Habit(get("/camera/stream.mjpg"), reads=False)
    ),
    "300 MB of header lines": lambda port: pour(port, begun(), b"a: b\r\n" * 10_000, 300),
    "one header of 300 MB": lambda port: pour(port, begun(more="X-A: "), b"x" * 60_000, 300),
    "a request line of 300 MB": lambda port: pour(port, b"GET /", b"x" * 60_000, 300),
    "300 MB of chunk extensions": lambda port: pour(port, CHUNKED + b"1;", b"x" * 60_000, 300),
    "300 MB of trailers": lambda port: pour(port, CHUNKED + b"0\r\n", b"a: b\r\n" * 10_000, 300),
    "requests for what is not there": lambda port: flood(port, 32, 10, get("/nothing")),
    "wrong passwords": lambda port: flood(
        port, 32, 10, get("/api/me", "Authorization: Basic eDp5\r\n")
    ),
    "2,000 hops of X-Forwarded-For": lambda port: flood(
        port, 32, 10, get("/api/me", f"X-Forwarded-For: {HOPS}\r\n")
    ),
}
"""By what is said of them; HTTP only."""
