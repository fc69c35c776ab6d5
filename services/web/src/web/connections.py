"""The HTTP connections that are open: which of them wait for their client, and for how long."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from time import monotonic
from typing import Protocol

from .settings import Web

INTERVAL = 1.0
"""Seconds between two looks at how long each has waited."""
STUCK = 2.0
"""Seconds without a byte taken before an answer may give way to another."""


class Connection(Protocol):
    """What is known of a connection here."""

    moved: float
    """When its client last took a byte of an answer (monotonic)."""

    peer: str
    """The address at its other end; empty when that is a trusted proxy, which speaks for many."""

    @property
    def person(self) -> str:
        """Who asks: behind a trusted proxy, whom that one names."""

    def check(self, now: float) -> None:
        """End it when it has waited for too long."""

    def drop(self) -> None:
        """Close it at once, whatever is unsent."""


class Group:
    """Connections by who has them, the oldest first."""

    def __init__(self) -> None:
        self._all: dict[Connection, str] = {}
        self._of: defaultdict[str, dict[Connection, None]] = defaultdict(dict)

    def __len__(self) -> int:
        return len(self._all)

    def add(self, connection: Connection, who: str) -> None:
        """It comes last."""
        self.discard(connection)
        self._all[connection] = who
        self._of[who][connection] = None

    def discard(self, connection: Connection) -> None:
        """It no longer belongs here."""
        if (who := self._all.pop(connection, None)) is not None:
            mine = self._of[who]
            del mine[connection]
            if not mine:
                del self._of[who]

    def of(self, who: str) -> list[Connection]:
        """Those of one."""
        return list(self._of.get(who, ()))

    def count(self, who: str) -> int:
        """How many one has."""
        return len(self._of.get(who, ()))

    def greediest(self) -> list[Connection]:
        """Those of whoever has most."""
        return self.of(max(self._of, key=self.count, default=""))

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._all)


class Connections:
    """All of them. `idle`: a request is waited for. `unread`: the client takes no more.

    A WebSocket belongs here until its handshake.
    """

    def __init__(self, web: Web, most: int) -> None:
        """`most`: connections that there can be in all, WebSockets included."""
        self._web = web
        self._most = most
        self._open: set[Connection] = set()
        self._idle = Group()
        self._unread = Group()

    async def run(self) -> None:
        """Look at each again and again, until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL)
            now = monotonic()
            for connection in list(self._open):
                connection.check(now)

    def add(self, connection: Connection) -> None:
        """It has just been opened."""
        self._open.add(connection)
        self.wait(connection)

    def remove(self, connection: Connection) -> None:
        """It has ended, or is an HTTP connection no longer."""
        self._open.discard(connection)
        self._idle.discard(connection)
        self._unread.discard(connection)

    def wait(self, connection: Connection) -> None:
        """A request is waited for; the oldest that wait give way when there are too many."""
        who = connection.peer
        self._idle.add(connection, who)
        if who and self._idle.count(who) > self._web.max_idle:
            self._idle.of(who)[0].drop()
        elif len(self._idle) > self._most // 2:
            self.close_oldest()

    def busy(self, connection: Connection) -> None:
        """A whole request has come."""
        self._idle.discard(connection)

    def close_oldest(self) -> bool:
        """Close what has waited longest for a request, else an answer that is stuck; if any."""
        if (oldest := next(iter(self._idle), None)) is None:
            return drop_stuck(self._unread.greediest())
        self._idle.discard(oldest)
        oldest.drop()
        return True

    def blocked(self, connection: Connection) -> None:
        """The client takes no more; whoever has too many of these loses one that is stuck."""
        who = connection.person
        self._unread.add(connection, who)
        if self._unread.count(who) > self._web.max_unread:
            drop_stuck(self._unread.of(who))
        if len(self._unread) > self._most // 2:
            drop_stuck(self._unread.greediest())

    def flows(self, connection: Connection) -> None:
        """The client takes some again."""
        self._unread.discard(connection)


def drop_stuck(connections: list[Connection]) -> bool:
    """Drop the one of which nothing has been taken for longest; False while all are read."""
    longest = min(connections, key=lambda connection: connection.moved, default=None)
    if longest is None or monotonic() - longest.moved < STUCK:
        return False
    longest.drop()
    return True
