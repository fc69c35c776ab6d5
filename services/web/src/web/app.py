"""The application: every route, and what all answers have in common."""

from importlib import metadata

from fastapi import FastAPI

from . import cameras, docs, health, metrics, mjpeg, page, sockets, stats
from .headers import SecurityHeaders
from .station import Station


def make_app(station: Station) -> FastAPI:
    """The application of a station; it starts nothing by itself."""
    app = FastAPI(
        title="Beeper Keeper",
        version=metadata.version("web"),
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.station = station
    for module in (cameras, docs, health, metrics, mjpeg, page, sockets, stats):
        app.include_router(module.router)
    app.add_middleware(SecurityHeaders)
    return app
