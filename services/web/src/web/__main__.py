"""`python -m web`: wires the settings, the bus and the server together."""

import asyncio

from bus import Bus, main
from bus.settings import SettingsError
from starlette.types import ASGIApp

from .app import make_app
from .headers import SecurityHeaders
from .port import PortError, listen
from .server import make_server, serve
from .settings import Settings
from .station import Station
from .stations import Stations


async def work(bus: Bus, settings: Settings, _name: str) -> None:
    """The page, the HTTP API and the live pictures of Beeper Keeper."""
    try:
        listener = listen(settings.web)
    except PortError as error:
        raise SettingsError(str(error)) from None
    what: Station | Stations
    app: ASGIApp
    if settings.web.hub:
        what = app = Stations(bus, settings)
    else:
        what = Station(bus, settings)
        app = make_app(what, settings)
    # Outside of everything, so that no answer is without them.
    server = make_server(SecurityHeaders(app, settings.livekit.url), settings.web)
    async with asyncio.TaskGroup() as group:
        group.create_task(what.run())
        group.create_task(serve(server, listener))


if __name__ == "__main__":
    main("web", Settings, work)
