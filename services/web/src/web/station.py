"""The parts of this service, made once and kept by the application."""

import asyncio
from typing import Annotated

from bus import Bus
from bus.media import MediaConnection
from fastapi import Depends
from starlette.requests import HTTPConnection

from .conversation import Conversation
from .events import Pages
from .hub import Hub
from .jpegs import Jpegs
from .mediamtx import Mediamtx
from .motor import Motor
from .pulse import Pulse
from .readings import REMOTE, SHOWN, Readings
from .roster import Roster
from .settings import Settings
from .shares import Shares
from .talk import Talk


class Station:
    """What the routes ask."""

    def __init__(
        self, bus: Bus, settings: Settings, name: str = "", hub: "Station | None" = None
    ) -> None:
        web = settings.web
        self.name = name
        """Its name on a hub; empty at home."""
        self.title = name or web.name or settings.station
        """What people read; empty = not set."""
        self.shares: Shares = hub.shares if hub else Shares(web)
        self.bus = bus
        self.settings = web
        self.livekit = settings.livekit
        self.turn = settings.turn
        there = bus.at(name) if hub else bus
        self.media: MediaConnection = (
            hub.media.at(name) if hub else MediaConnection(settings, bus.instance, bus.invalid)
        )
        self.readings = Readings(there, REMOTE if hub else SHOWN)
        self.pulse: Pulse = (
            hub.pulse if hub else Pulse(bus, settings.mqtt.echo_interval, web.silent_after)
        )
        self.hub = Hub(there, self.media, self.readings, self.pulse, web, remote=bool(name))
        self.jpegs = Jpegs(there, self.media, self.readings, self.pulse, web)
        self.motor = Motor(there, self.readings, self.pulse, web.motor_wait)
        self._own = () if hub else (self.media, self.pulse)
        self.mediamtx = Mediamtx(settings.mediamtx, self.hub.channels)
        self.talk = Talk(bus, web)
        self.roster = Roster(bus)
        self.conversation = Conversation(bus)
        self.pages = Pages(
            self.title, self.readings, self.roster, self.conversation, self.pulse, web
        )
        self.mediamtx.on_change = self.pages.say_offers

    async def run(self) -> None:
        """Keep everything alive until cancelled; then say goodbye to whoever watches."""
        try:
            async with asyncio.TaskGroup() as group:
                for part in (*self._own, self.hub, self.jpegs, self.pages, self.talk):
                    group.create_task(part.run())
                if self.settings.media == "mediamtx":
                    group.create_task(self.mediamtx.run())
        finally:
            for part in (self.hub, self.jpegs, self.pages):
                part.close()


def station_of(connection: HTTPConnection) -> Station:
    """The station that the application serves."""
    found = connection.app.state.station
    if not isinstance(found, Station):
        raise TypeError("the application has no station")
    return found


Here = Annotated[Station, Depends(station_of)]
