"""The pages that are open: each gets the newest message of every topic, and again on change."""

import asyncio
import json
import time
from collections.abc import Callable
from importlib import metadata
from time import monotonic

from bus.limits import LIMITS
from bus.topics import TOPICS

from .pulse import Pulse
from .readings import ROOT, Reading, Readings
from .settings import Web
from .wire import GOING_AWAY, POLICY, Ending, Wire, text_frame

INTERVALS = {t.path.removeprefix(ROOT): t.every for t in TOPICS if t.every}


class Page:
    """One open page; while its connection is full only the newest message of each topic waits."""

    def __init__(self, wire: Wire) -> None:
        self.ending = Ending()
        self.heard_at = monotonic()
        self.on_complaint: Callable[[], None] = lambda: None
        self._wire = wire
        self._paused = False
        self._pending: dict[str, bytes] = {}

    def tell(self, about: str, frame: bytes) -> None:
        """Send, or replace what waits about the same thing."""
        if self._paused:
            self._pending.pop(about, None)
            self._pending[about] = frame
        else:
            self._wire.write(frame)

    def heard(self, data: bytes) -> None:
        self.heard_at = monotonic()
        try:
            message = json.loads(data)
        except (ValueError, RecursionError):
            message = None
        match message:
            case {"type": "ping", "id": int(number), **rest} if not rest and abs(number) < 1 << 53:
                pong = {"type": "pong", "id": number, "server_time": time.time()}
                self.tell("pong", text_frame(json.dumps(pong)))
            case _:
                self.complain("that is no ping")

    def complain(self, reason: str) -> None:
        self.on_complaint()
        self.ending.set((POLICY, reason))

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        while self._pending and not self._paused:
            about = next(iter(self._pending))
            self._wire.write(self._pending.pop(about))

    def gone(self) -> None:
        self.ending.set(None)


class Pages:
    """Everybody who listens, and what is told to whom."""

    def __init__(self, station: str, readings: Readings, pulse: Pulse, settings: Web) -> None:
        self.open: dict[Page, None] = {}
        self.malformed = 0
        self._station = station
        self._readings = readings
        self._pulse = pulse
        self._settings = settings
        readings.on_reading = self._take
        pulse.on_change = self._take_pulse

    def join(self, page: Page) -> None:
        """Say hello, how the bus is, and everything that is known."""
        self.open[page] = None
        page.on_complaint = self._count
        page.tell("hello", text_frame(hello(self._station)))
        page.tell("bus", self._bus_frame())
        for name, reading in self._readings.latest.items():
            page.tell(name, text_frame(reading.text))

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

    def _take(self, name: str, reading: Reading) -> None:
        frame = text_frame(reading.text)
        for page in self.open:
            page.tell(name, frame)

    def _take_pulse(self) -> None:
        for page in self.open:
            page.tell("bus", self._bus_frame())

    def _bus_frame(self) -> bytes:
        message = {"type": "bus", "state": self._pulse.state, "since": self._pulse.since}
        return text_frame(json.dumps(message))

    def _count(self) -> None:
        self.malformed += 1


def hello(station: str) -> str:
    """The first message: the version, the server's clock, the limits and intervals of readings."""
    return json.dumps(
        {
            "type": "hello",
            "version": metadata.version("web"),
            "server_time": time.time(),
            "station": station,
            "limits": [limit._asdict() for limit in LIMITS],
            "intervals": INTERVALS,
        }
    )
