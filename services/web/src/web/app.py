"""The application: every route, who may take it, and what all answers have in common."""

from collections.abc import Callable
from importlib import metadata
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection

from . import (
    cameras,
    docs,
    health,
    hls,
    me,
    mediamtx_auth,
    metrics,
    mjpeg,
    overview,
    page,
    past,
    people,
    proxied,
    rtc,
    sockets,
    stats,
    stepper,
    whep,
)
from .client import insider
from .edge import Edge
from .identities import Identities
from .identity import Who, who
from .limit import Limit
from .settings import Settings
from .station import Station

OPEN: tuple[APIRouter, ...] = (page.files, health.router, me.leaving, mediamtx_auth.router)
"""For everybody: nothing of the station is in them; what is for MediaMTX says so itself."""
DIAGNOSTICS: tuple[APIRouter, ...] = (docs.router, metrics.router)
"""For the networks in access.diagnostics."""
VIDEO: tuple[APIRouter, ...] = (
    mjpeg.router,
    sockets.router,
    stepper.stop,
)
"""For whoever may watch, as often as they like."""
SOURCES: dict[str, tuple[APIRouter, ...]] = {
    "embedded": (whep.router, hls.router),
    "mediamtx": (proxied.router,),
}
"""WebRTC and HLS, by `web.media`: the same addresses, for whoever may watch."""
FRONT: dict[bool, APIRouter] = {False: page.router, True: overview.router}
"""What stands at `/`: the page of a station, or the list of a hub."""
VIEWERS: tuple[APIRouter, ...] = (
    cameras.router,
    me.router,
    past.router,
    people.router,
    rtc.router,
    stats.router,
    stepper.router,
)
"""For whoever may watch, within the limit; a route that is for operators says so itself."""
REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"description": "what was sent makes no sense"},
    401: {"description": "a name and password are needed"},
    403: {"description": "not for whoever asks"},
    404: {"description": "there is no such thing"},
    413: {"description": "too long"},
    429: {"description": "too often; Retry-After says for how long to wait"},
    503: {"description": "what should answer is not there; the words say why"},
}
"""What a route may answer besides; `detail` says it in words."""


def make_app(station: Station, settings: Settings, identities: Identities | None = None) -> FastAPI:
    """The application of a station; it starts nothing by itself."""
    app = FastAPI(
        title="Beeper Keeper",
        version=metadata.version("web"),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        max_body_size=settings.web.max_body,
    )
    identities = identities or Identities(settings)
    app.state.station = station
    app.state.access = settings.access
    app.state.identities = identities
    app.state.identify = identities.identify
    app.state.requests = Limit(settings.access.rate, settings.access.burst, "requests")
    admit(app, SOURCES[settings.web.media], FRONT[settings.web.hub and not station.name])
    app.add_middleware(CORSMiddleware, allow_origins=station.settings.origins)
    app.add_middleware(Edge, origins=settings.web.origins, identities=identities)
    return app


def admit(app: FastAPI, source: tuple[APIRouter, ...], front: APIRouter) -> None:
    """Put every route behind its rule."""
    rules: tuple[tuple[tuple[APIRouter, ...], tuple[Callable[..., Any], ...]], ...] = (
        (OPEN, ()),
        (DIAGNOSTICS, (insider,)),
        ((*VIDEO, *source), (who,)),
        ((front, *VIEWERS), (who, unhurried)),
    )
    for routers, rule in rules:
        for router in routers:
            dependencies = [Depends(part) for part in rule]
            app.include_router(router, dependencies=dependencies, responses=REFUSALS)


async def unhurried(connection: HTTPConnection, identity: Who) -> None:
    """Count the request of a person; 429 when there are too many."""
    limit: Limit = connection.app.state.requests
    limit.take(f"{identity.way}:{identity.subject}")
