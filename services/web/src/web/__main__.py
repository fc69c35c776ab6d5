"""`python -m web`: wires the settings, the bus and the server together."""

import asyncio

from bus import Bus, main
from bus.settings import SettingsError

from .app import make_app
from .port import PortError, listen
from .server import make_server, serve
from .settings import Settings
from .station import Station


async def work(bus: Bus, settings: Settings, _name: str) -> None:
    """The page, the HTTP API and the live pictures of Beeper Keeper."""
    try:
        listener = listen(settings.web)
    except PortError as error:
        raise SettingsError(str(error)) from None
    station = Station(bus, settings)
    server = make_server(make_app(station), settings.web)
    async with asyncio.TaskGroup() as group:
        group.create_task(station.run())
        group.create_task(serve(server, listener))


if __name__ == "__main__":
    main("web", Settings, work)
