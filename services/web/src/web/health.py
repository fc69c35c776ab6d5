"""Whether this service works, and whether there is anything to see."""

from typing import Any

from bus import wall_clock
from bus.topics import CAMERA_STATUS
from fastapi import APIRouter
from fastapi.responses import JSONResponse

from .identity import Maybe
from .readings import stale
from .station import Here, Station
from .trouble import camera_trouble, degraded

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz(station: Here, identity: Maybe) -> JSONResponse:
    """200 while web and the broker work, with what is degraded for whoever may watch; else 503."""
    wrong = degraded(station.readings, station.pulse)
    if station.pulse.well and station.media.link.connection is None:
        wrong.append("the connection for media is not there")
    word = "down" if not station.pulse.well else "degraded" if wrong else "ok"
    details = {"degraded": wrong} if identity else {}
    return answer(station, station.pulse.well, {"status": word} | details)


@router.get("/readyz")
async def readyz(station: Here, identity: Maybe) -> JSONResponse:
    """200 while, besides, a camera delivers frames or would on demand; else 503."""
    ready = {name: frames(station, name) for name in sorted(station.hub.channels)}
    well = station.pulse.well and any(ready.values())
    details = {"cameras": ready} if identity else {}
    return answer(station, well, {"status": "ready" if well else "not ready"} | details)


def frames(station: Station, camera: str) -> bool:
    """Whether a camera delivers frames, or waits for somebody who wants them."""
    status = station.readings.get(CAMERA_STATUS, camera=camera)
    if status is None or camera_trouble(camera, station.readings, station.pulse):
        return False
    idle = status.demand == "on_demand" and status.state == "stopped"
    return (status.state == "streaming" or idle) and not stale(status, CAMERA_STATUS.every)


def answer(station: Station, well: bool, body: dict[str, Any]) -> JSONResponse:
    """The body with how the bus is, and the code."""
    bus = {"state": station.pulse.state, "since": station.pulse.since}
    return JSONResponse(
        body | {"bus": bus, "timestamp": wall_clock.now()},
        200 if well else 503,
        headers={"Cache-Control": "no-store"},
    )
