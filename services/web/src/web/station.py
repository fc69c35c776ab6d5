"""The parts of this service, made once and kept by the application."""

import asyncio
from typing import Annotated

from bus import Bus
from bus.media import MediaConnection
from fastapi import Depends
from starlette.requests import HTTPConnection

from .events import Pages
from .hub import Hub
from .jpegs import Jpegs
from .pulse import Pulse
from .readings import Readings
from .settings import Settings


class Station:
    """What the routes ask."""

    def __init__(self, bus: Bus, settings: Settings) -> None:
        web = settings.web
        self.bus = bus
        self.settings = web
        self.media = MediaConnection(settings, bus.instance)
        self.readings = Readings(bus)
        self.pulse = Pulse(bus, settings.mqtt.echo_interval, web.silent_after)
        self.hub = Hub(bus, self.media, self.readings, self.pulse, web)
        self.jpegs = Jpegs(bus, self.media, self.readings, self.pulse, web)
        self.pages = Pages(settings.station, self.readings, self.pulse, web)

    async def run(self) -> None:
        """Keep everything alive until cancelled; then say goodbye to whoever watches."""
        try:
            async with asyncio.TaskGroup() as group:
                for part in (self.media, self.pulse, self.hub, self.jpegs, self.pages):
                    group.create_task(part.run())
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
