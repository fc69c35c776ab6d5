"""Who watches, from being let in to the end: places are shared, and sign-ins may be revoked."""

import asyncio
from collections.abc import Callable

from bus import Refusal
from bus.places import FullError, Holder, Places

from .feed import Feed
from .session import Session

EXPIRED = "the viewer's sign-in has expired"
REVOKED = "the viewer's sign-in has ended"
NEEDED = "somebody else needs the place more"


class Seat:
    """One viewer of a feed; `lost` says why it must go before it was answered."""

    def __init__(self, feed: Feed, grant: str) -> None:
        self.feed = feed
        self.grant = grant
        self.lost = ""
        self.leave: Callable[[], None] = lambda: None
        self.session: Session | None = None
        self.task: asyncio.Task[None] | None = None

    def end(self, reason: str) -> None:
        """Let it go, connected or not."""
        if self.session and self.task:
            self.session.end(reason)
            self.task.cancel()
        else:
            self.lost = reason

    def check(self) -> None:
        """Raises Refusal when the seat was lost while the answer was made."""
        if self.lost:
            raise Refusal(self.lost, 403 if self.lost == REVOKED else 503)


class Seats:
    """All of them; `on_change` is called when one comes or goes."""

    def __init__(self, most: int, on_change: Callable[[], None]) -> None:
        self._places = Places(most, "WebRTC")
        self._on_change = on_change
        self._seats: set[Seat] = set()
        self._named: dict[str, Seat] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._seats)

    @property
    def grants(self) -> list[str]:
        """The sign-ins that allow them."""
        return sorted({seat.grant for seat in self._seats if seat.grant})

    def take(self, feed: Feed, holder: Holder, grant: str) -> Seat:
        """Let somebody in; Refusal 503 when that would be unfair, or nobody can be."""
        seat = Seat(feed, grant)
        try:
            place = self._places.take(holder, lambda: seat.end(NEEDED))
        except FullError:
            full = f"as many WebRTC viewers as are allowed ({self._places.most}) are there"
            raise Refusal(full, 503) from None
        seat.leave = lambda: self._places.leave(place)
        self._seats.add(seat)
        feed.acquire()
        self._on_change()
        return seat

    def leave(self, seat: Seat) -> None:
        """It is free again."""
        self._seats.discard(seat)
        seat.leave()
        seat.feed.release()
        self._on_change()

    def begin(self, seat: Seat, session: Session, seconds: float | None) -> None:
        """Let an answered session run to its end, or for so many seconds."""
        loop = asyncio.get_running_loop()
        expiry = None if seconds is None else loop.call_later(seconds, seat.end, EXPIRED)
        seat.session = session
        self._named[session.name] = seat
        seat.task = asyncio.create_task(session.run())

        def ended(task: asyncio.Task[None]) -> None:
            if expiry:
                expiry.cancel()
            if task.cancelled():
                # Perhaps before its first step, and then nothing else gives the sockets back.
                closing = asyncio.create_task(session.close())
                self._closing.add(closing)
                closing.add_done_callback(self._closing.discard)
            del self._named[session.name]
            self.leave(seat)

        seat.task.add_done_callback(ended)

    def find(self, name: str) -> Session:
        """A session by its id; Refusal 404 when there is none."""
        if (seat := self._named.get(name)) is None or seat.session is None:
            raise Refusal("there is no such session", 404)
        return seat.session

    async def end(self, name: str) -> None:
        """End a session; Refusal 404 when there is none."""
        session = self.find(name)
        task = self._named[session.name].task
        if task:
            task.cancel()
            await asyncio.wait((task,))

    def revoke(self, grant: str) -> None:
        """A sign-in has ended."""
        for seat in [one for one in self._seats if one.grant == grant]:
            seat.end(REVOKED)

    async def close(self) -> None:
        """End every session."""
        tasks = [seat.task for seat in self._named.values() if seat.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*self._closing, return_exceptions=True)
