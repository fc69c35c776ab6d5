"""Turns at the parser: those who say much wait, so that everybody's pictures go out meanwhile."""

import asyncio
from collections import deque
from time import thread_time
from typing import Protocol

from .limit import Bucket

WORK = 0.002
"""Seconds of CPU in which those who wait are parsed, before the event loop does something else."""
REST = 0.004
"""Seconds for which it does: at most a third of a core parses what floods bring."""


class Reader(Protocol):
    """A connection that has bytes to be parsed."""

    def read_slice(self) -> bool:
        """Parse a little; whether more waits."""


class Turns:
    """Each waiting connection parses one slice, then the next does.

    rate, burst: messages a second, and at once, that one connection may send.
    """

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = burst
        self._waiting: deque[Reader] = deque()
        self._running = False

    def bucket(self) -> Bucket:
        """What a new connection may say."""
        return Bucket(self._rate, self._burst)

    def wait(self, reader: Reader) -> None:
        """Let a connection parse when its turn comes."""
        self._waiting.append(reader)
        if not self._running:
            self._running = True
            asyncio.get_running_loop().call_soon(self._work)

    def _work(self) -> None:
        end = thread_time() + WORK
        while self._waiting and thread_time() < end:
            reader = self._waiting.popleft()
            if reader.read_slice():
                self._waiting.append(reader)
        self._running = bool(self._waiting)
        if self._running:
            asyncio.get_running_loop().call_later(REST, self._work)
