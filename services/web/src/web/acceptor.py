"""Takes connections from the listening socket, as long as there are descriptors for them."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from time import monotonic
from typing import Any

from .connections import Connections

log = logging.getLogger(__name__)

AT_ONCE = 16
"""Connections that are taken before the event loop goes round again: viewers wait no longer."""
PAUSE = 0.5
"""Seconds without taking any, when the kernel has no descriptor or memory for another."""
QUIET = 10.0
"""Seconds without a refusal after which there is room again."""
FULL = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\n"
BUSY = FULL + b"Content-Type: text/plain\r\nContent-Length: 21\r\n\r\ntoo many connections\n"


class Acceptor:
    """What `asyncio.Server` would be, with an end to what it takes.

    The kernel gives the lowest free descriptor, so that the number of a new one says how many are
    in use. asyncio's own loop tries 100 times when there is none, with a traceback each.
    """

    def __init__(
        self,
        listener: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        connections: Connections,
        ceiling: int,
        report: Callable[[str | None], None],
    ) -> None:
        """`ceiling`: the descriptor from which on nobody gets one; `report` hears of trouble."""
        self._listener = listener
        self._protocol = protocol
        self._connections = connections
        self._ceiling = ceiling
        self._report = report
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Future[Any]] = set()
        self._refused = 0.0
        self._resume: asyncio.TimerHandle | None = None
        self._calm: asyncio.TimerHandle | None = None
        self._loop.add_reader(listener, self._ready)

    def close(self) -> None:
        """Take no more."""
        self._loop.remove_reader(self._listener)
        for timer in (self._resume, self._calm):
            if timer:
                timer.cancel()

    async def wait_closed(self) -> None:
        """Nothing is left to wait for."""

    def _ready(self) -> None:
        for _ in range(AT_ONCE):
            try:
                taken, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                # EMFILE, ENFILE, ENOBUFS, ENOMEM; errors of the network itself pass: accept(2).
                self._rest(error)
                return
            self._take(taken)

    def _take(self, taken: socket.socket) -> None:
        taken.setblocking(False)
        if taken.fileno() >= self._ceiling:
            self._trouble(f"{self._ceiling} descriptors are in use, which is all that there are")
            if not self._connections.close_oldest():
                with contextlib.suppress(OSError):
                    taken.send(BUSY)
                taken.close()
                return
        task = asyncio.ensure_future(self._loop.connect_accepted_socket(self._protocol, taken))
        self._tasks.add(task)
        task.add_done_callback(self._taken)

    def _taken(self, task: asyncio.Future[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.debug("a connection ended before it began: %s", error)

    def _rest(self, error: OSError) -> None:
        """Take none for a moment."""
        self._loop.remove_reader(self._listener)
        self._resume = self._loop.call_later(
            PAUSE, self._loop.add_reader, self._listener, self._ready
        )
        for _ in range(AT_ONCE):
            self._connections.close_oldest()
        self._trouble(f"no new connections: {error.strerror}")

    def _trouble(self, what: str) -> None:
        self._refused = monotonic()
        if self._calm is None:
            self._report(f"{what}; idle ones are closed, else new ones refused")
            self._calm = self._loop.call_later(QUIET, self._look)

    def _look(self) -> None:
        """Say that there is room again, when nobody has been refused for a while."""
        if (left := self._refused + QUIET - monotonic()) > 0:
            self._calm = self._loop.call_later(left, self._look)
        else:
            self._calm = None
            self._report(None)
