"""`python -m web`: wires the settings, the bus and the server together."""

import asyncio
import sys
from typing import NoReturn

from bus import Bus, main

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
        await give_up(f"web: {error}")
    station = Station(bus, settings)
    server = make_server(make_app(station), settings.web)
    async with asyncio.TaskGroup() as group:
        group.create_task(station.run())
        group.create_task(serve(server, listener))


async def give_up(line: str) -> NoReturn:
    """End the process with one line; raised from a task it would come with a traceback."""
    loop = asyncio.get_running_loop()
    loop.call_soon(sys.exit, line)
    await loop.create_future()
    raise AssertionError("the loop has ended")


if __name__ == "__main__":
    main("web", Settings, work)
