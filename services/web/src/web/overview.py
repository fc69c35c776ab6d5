"""The first page of a hub: its stations and how each of them is."""

from typing import TYPE_CHECKING, Any

from bus import wall_clock
from fastapi import APIRouter, Request, Response

from .answers import Shared
from .mjpeg import NO_STORE
from .page import FILES

if TYPE_CHECKING:
    from .stations import Stations

router = APIRouter(tags=["stations"])


@router.get("/", include_in_schema=False)
async def page() -> Response:
    """The list, for people."""
    found = FILES["stations.html"]
    return Shared([found.content], found.media_type, NO_STORE)


@router.get("/api/stations")
async def stations(request: Request, response: Response) -> dict[str, Any]:
    """Every station with its health; `path` is its own page, relative to this one.

    `state`: online, degraded (the lines say why), or lost: nothing was said for 30 s.
    """
    response.headers.update(NO_STORE)
    known: Stations = request.app.state.stations
    return {"stations": known.describe(), "timestamp": wall_clock.now()}
