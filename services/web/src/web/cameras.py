"""What there is to see, and how those who publish it are doing."""

from typing import Any

from bus import wall_clock
from bus.messages import CameraStatus
from bus.topics import CAMERA_STATUS, SERVICE_STATUS
from bus.topics import RELAY_STATUS as RELAYS
from fastapi import APIRouter, HTTPException, Response

from .ice import offered
from .identity import Identity, Who
from .mjpeg import NO_STORE, choose
from .readings import age, stale
from .rtc import in_livekit
from .station import Here, Station
from .trouble import camera_trouble
from .whep import watchable

router = APIRouter(tags=["cameras"])


@router.get("/api/cameras")
async def cameras(station: Here, viewer: Who, response: Response) -> dict[str, Any]:
    """Every camera with its tracks and the ways to watch it; addresses are relative to the page."""
    response.headers.update(NO_STORE)
    found = [offer(station, viewer, name) for name in sorted(station.hub.channels)]
    return {"station": station.title or None, "cameras": found}


@router.get("/camera/status")
async def status(station: Here, camera: str | None = None) -> dict[str, Any]:
    """One camera (the first, when none is named) and every publisher: cameras and relays.

    `framerate` and `resolution` are measured, and null when nothing is known of them.
    """
    name = choose(station, camera)
    found = station.readings.get(CAMERA_STATUS, camera=name)
    if found is None:
        raise HTTPException(503, f"camera {name} has not said how it is")
    return describe(station, name, found) | {
        "cameras": publishers(station),
        "relays": {
            relay: said.model_dump(mode="json") | {"age_seconds": age(said)}
            for relay, said in station.readings.each(RELAYS).items()
        },
    }


def offer(station: Station, viewer: Identity, name: str) -> dict[str, Any]:
    """How a camera can be watched."""
    found = station.readings.get(CAMERA_STATUS, camera=name)
    relayed = station.settings.media == "mediamtx"
    there = station.mediamtx.why_not(name) is None if relayed else True
    webrtc, livekit = there if relayed else watchable(station), in_livekit(station, name)
    mjpeg = True
    if station.name:
        # Of a station elsewhere a hub has what is on its own bus: nobody makes JPEGs or RTP there.
        webrtc = livekit = mjpeg = False
    ways = {"websocket": True, "webrtc": webrtc, "livekit": livekit, "hls": there, "mjpeg": mjpeg}
    return {
        "name": name,
        "title": (found.title if found else None) or name,
        "path": f"{name}_camera",
        "status": found.model_dump(mode="json") if found else None,
        "simulated": bool(found and found.simulated),
        "tracks": sorted(station.hub.channels[name].tracks.keys() - {"aac"}, reverse=True),
        "protocols": [way for way, there in ways.items() if there],
        "live": f"live/{name}",
        "whep": f"{name}_camera/whep" if webrtc else None,
        "hls": f"{name}_camera/index.m3u8",
        "ice_servers": offered(station, viewer),
        "mjpeg": f"camera/stream.mjpg?camera={name}",
        "livekit": f"webrtc/token?camera={name}" if livekit else None,
        "snapshot": f"camera/snapshot.jpg?camera={name}",
    }


def describe(station: Station, name: str, found: CameraStatus) -> dict[str, Any]:
    """A camera in the words of the predecessor, and what they could not say."""
    trouble = camera_trouble(name, station.readings, station.pulse)
    service = station.readings.get(SERVICE_STATUS, instance=f"camera-{name}")
    return {
        "camera": name,
        "running": found.state == "streaming" and trouble is None,
        "camera_num": None,
        "resolution": [found.width, found.height] if found.width and found.height else None,
        "framerate": found.fps,
        "available": trouble is None,
        "backend": found.driver,
        "simulated": found.simulated,
        "trouble": trouble,
        "publisher": {
            "ts": found.timestamp,
            "status": found.state,
            "detail": found.error or found.warning,
            "pid": None,
            "service": service.state if service else None,
        },
        "age_seconds": age(found),
        "stale": stale(found, CAMERA_STATUS.every),
        "timestamp": wall_clock.now(),
    }


def publishers(station: Station) -> dict[str, Any]:
    """The status of every camera with its age."""
    return {
        name: said.model_dump(mode="json")
        | {"age_seconds": age(said), "stale": stale(said, CAMERA_STATUS.every)}
        for name, said in station.readings.each(CAMERA_STATUS).items()
    }
