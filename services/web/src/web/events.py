"""The pages that are open: each gets the newest message of every topic, and again on change."""

import asyncio
import json
from collections.abc import Callable
from functools import partial
from importlib import metadata
from time import monotonic
from typing import Any

from bus import wall_clock
from bus.each import tell_each
from bus.limits import LIMITS
from bus.topics import TOPICS

from .conversation import Conversation
from .identity import Identity
from .pulse import Pulse
from .readings import ROOT, Reading, Readings
from .roster import Roster
from .settings import Web
from .visitor import Visitor
from .wire import FAILED, GOING_AWAY, POLICY, Ending, Wire, text_frame

INTERVALS = {t.path.removeprefix(ROOT): t.every for t in TOPICS if t.every}
MOST = 2000
"""Things about which something may wait for a page; more means that it asks and never reads."""


class Page:
    """One open page; while its connection is full only the newest message of each topic waits."""

    def __init__(self, wire: Wire, visitor: Visitor) -> None:
        self.ending = Ending()
        self.visitor = visitor
        self.heard_at = monotonic()
        self.on_complaint: Callable[[], None] = lambda: None
        self._wire = wire
        self._over = False
        self._paused = False
        self._pending: dict[str, Callable[[], bytes]] = {}

    def tell(self, about: str, frame: bytes, whole: Callable[[], bytes] | None = None) -> None:
        """Send, or replace what waits about the same thing.

        A frame that says only what has changed comes with the way to make the whole of it, which
        is sent instead when others have been missed.
        """
        if not self._paused:
            self._wire.write(frame)
            return
        self._pending.pop(about, None)
        self._pending[about] = whole or (lambda: frame)
        if len(self._pending) > MOST:
            self.complain("answers are not read")

    def heard(self, data: bytes) -> None:
        self.heard_at = monotonic()
        try:
            message = json.loads(data)
        except (ValueError, RecursionError):
            message = None
        match message:
            case {"type": "ping", "id": int(number), **rest} if not rest and abs(number) < 1 << 53:
                pong = {"type": "pong", "id": number, "server_time": wall_clock.now()}
                self.tell("pong", text_frame(json.dumps(pong)))
            case _ if not self.visitor.hear(message, self._answer):
                self.complain("that is not understood")

    def _answer(self, message: dict[str, Any]) -> None:
        if not self._over:
            self.tell(f"{message['type']} {message['id']}", text_frame(json.dumps(message)))

    def complain(self, reason: str) -> None:
        self.on_complaint()
        self.ending.set((POLICY, reason))

    def fail(self) -> None:
        """End it: something went wrong with it here."""
        self.ending.set((FAILED, "an error on the station"))

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        while self._pending and not self._paused:
            about = next(iter(self._pending))
            self._wire.write(self._pending.pop(about)())

    def gone(self) -> None:
        self._over = True
        self.ending.set(None)


class Pages:
    """Everybody who listens, and what is told to whom."""

    def __init__(
        self,
        station: str,
        readings: Readings,
        roster: Roster,
        conversation: Conversation,
        pulse: Pulse,
        settings: Web,
    ) -> None:
        self.open: dict[Page, None] = {}
        self.malformed = 0
        self._station = station
        self._readings = readings
        self._roster = roster
        self._conversation = conversation
        self._pulse = pulse
        self._settings = settings
        readings.on_reading = self._take
        roster.on_change = partial(self._spread, "viewers", roster.whole)
        conversation.on_change = partial(self._spread, "chat", conversation.whole)
        pulse.on_change.append(self._take_pulse)
        wall_clock.CLOCK.on_jump.append(self._say_clock)

    def join(self, page: Page) -> None:
        """Say hello, how the bus is, and everything that is known."""
        self.open[page] = None
        page.on_complaint = self._count
        page.tell("hello", text_frame(hello(self._station, page.visitor.who)))
        page.tell("bus", self._bus_frame())
        for name, reading in self._readings.latest.items():
            page.tell(name, text_frame(reading.text))
        page.tell("viewers", self._roster.whole())
        page.tell("chat", self._conversation.whole())

    def leave(self, page: Page) -> None:
        """Tell it nothing any more."""
        del self.open[page]

    async def run(self) -> None:
        """Let go of pages that are silent, until cancelled."""
        while True:
            await asyncio.sleep(self._settings.idle / 10)
            for page in self.open:
                if monotonic() - page.heard_at > self._settings.idle:
                    page.ending.set((GOING_AWAY, "nothing heard"))

    def close(self) -> None:
        """Say goodbye to everybody."""
        for page in self.open:
            page.ending.set((GOING_AWAY, "the station goes away"))

    def say_offers(self) -> None:
        """What the cameras offer has changed: `api/cameras` knows."""
        self._tell("offers", text_frame('{"type": "offers"}'))

    def _take(self, name: str, reading: Reading) -> None:
        self._tell(name, text_frame(reading.text))

    def _say_clock(self, _seconds: float) -> None:
        """The clock was set: pages ask what it is now, and count ages anew."""
        self._tell("clock", text_frame('{"type": "clock"}'))

    def _spread(self, about: str, whole: Callable[[], bytes], change: bytes) -> None:
        self._tell(about, change, whole)

    def _take_pulse(self) -> None:
        self._tell("bus", self._bus_frame())

    def _tell(self, about: str, frame: bytes, whole: Callable[[], bytes] | None = None) -> None:
        tell_each(self.open, lambda page: page.tell(about, frame, whole), Page.fail)

    def _bus_frame(self) -> bytes:
        message = {"type": "bus", "state": self._pulse.state, "since": self._pulse.since}
        return text_frame(json.dumps(message))

    def _count(self) -> None:
        self.malformed += 1


def hello(station: str, who: Identity) -> str:
    """The first message: version, the server's clock, the viewer, what readings are worth."""
    return json.dumps(
        {
            "type": "hello",
            "version": metadata.version("web"),
            "server_time": wall_clock.now(),
            "station": station,
            "you": {"name": who.name, "operator": who.operator},
            "limits": [limit._asdict() for limit in LIMITS],
            "intervals": INTERVALS,
        }
    )
