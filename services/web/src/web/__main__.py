"""`python -m web`: wires the settings, the bus and the server together."""

import asyncio
from functools import partial

from bus import Bus, main
from bus.settings import SettingsError
from starlette.types import ASGIApp

from . import descriptors
from .answers import Answers
from .app import make_app
from .head_requests import HeadRequests
from .headers import SecurityHeaders
from .identities import Identities
from .port import PortError, listen
from .refusals import Refusals
from .revocations import Revocations
from .server import make_server, serve
from .settings import Settings
from .station import Station
from .stations import Stations
from .throttle import Throttle


async def work(bus: Bus, settings: Settings, _name: str) -> None:
    """The page, the HTTP API and the live pictures of Beeper Keeper."""
    try:
        listener = listen(settings.web)
    except PortError as error:
        raise SettingsError(str(error)) from None
    limit = descriptors.raise_limit(descriptors.needed(settings.web))
    if why := descriptors.shortage(settings.web, limit):
        bus.problem("max_viewers", why)
        settings = settings.with_viewers(descriptors.enough_for(settings.web, limit))
    identities = Identities(settings)
    what: Station | Stations
    app: ASGIApp
    if settings.web.hub:
        what = app = Stations(bus, settings, identities)
    else:
        what = Station(bus, settings)
        app = make_app(what, settings, identities)
    revoke = Revocations(bus, identities)
    refusals = Refusals(settings.access.refused_rate, settings.access.refused_burst)
    app = outside(app, settings, identities, refusals)
    report = partial(bus.problem, "connections")
    ceiling = min(limit, descriptors.needed(settings.web)) - descriptors.RESERVE
    server = make_server(app, settings, refusals, ceiling, report)
    async with asyncio.TaskGroup() as group:
        group.create_task(what.run())
        group.create_task(identities.run())
        group.create_task(revoke.run())
        group.create_task(serve(server, listener))


def outside(
    app: ASGIApp, settings: Settings, identities: Identities, refusals: Refusals
) -> ASGIApp:
    """What every request passes before any route, and every answer after it.

    No answer is without the headers, so that they are outermost.
    """
    app = Answers(HeadRequests(app), settings.web.max_waiting)
    app = Throttle(app, settings, identities, refusals)
    return SecurityHeaders(app, settings.livekit.url, bool(settings.web.origins))


if __name__ == "__main__":
    main("web", Settings, work, dated=True)
