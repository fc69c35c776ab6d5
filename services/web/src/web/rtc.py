"""What a page needs for WebRTC beside the answer to its offer: ICE servers, and LiveKit.

No secret leaves: a page gets credentials and tokens that end by themselves and let it only watch.
"""

import math
import secrets
import time
from typing import Any

from bus.livekit import Livekit
from fastapi import APIRouter, HTTPException, Response

from .ice import offered, relays, unconfigured
from .identity import Identity, Who
from .mjpeg import NO_STORE, choose
from .station import Here, Station

router = APIRouter(tags=["webrtc"])

CLOCKS_APART = 10
"""Seconds that LiveKit's clock may be behind."""


@router.get("/webrtc/config")
async def config(station: Here, viewer: Who, response: Response) -> dict[str, Any]:
    """ICE servers for an RTCPeerConnection, and where LiveKit is.

    TURN credentials are the viewer's own and end at `expires` (Unix s); `notes` says what is
    missing.
    """
    response.headers.update(NO_STORE)
    turn = relays(station.turn, viewer)
    without = why_not(station.livekit)
    return {
        "iceServers": offered(station, viewer),
        "expires": turn.expires,
        "host": None if without else station.livekit.url,
        "disabled": without is not None,
        "notes": [note for note in (turn.note, without) if note],
    }


@router.get("/webrtc/token")
async def token(
    station: Here, viewer: Who, response: Response, camera: str | None = None
) -> dict[str, Any]:
    """A LiveKit token with which the viewer may watch one camera, and nothing else.

    Room and identity are the server's choice; `expires` in Unix s. 503 says what is not configured.
    """
    response.headers.update(NO_STORE)
    name = choose(station, camera)
    livekit = station.livekit
    if without := why_not(livekit):
        raise HTTPException(503, without)
    if not livekit.shows(name):
        raise HTTPException(404, f"camera {name} is not in LiveKit (livekit.cameras)")
    claims = viewer_claims(livekit, name, viewer, int(time.time()))
    return {
        "token": sign(livekit, claims),
        "identity": claims["sub"],
        "host": livekit.url,
        "room": livekit.room_of(name),
        "expires": claims["exp"],
    }


def why_not(livekit: Livekit) -> str | None:
    """Why nobody can watch through LiveKit; None when they can."""
    if not livekit.url:
        return "LiveKit is not configured (livekit.url)"
    try:
        livekit.signing()
    except (OSError, ValueError) as error:
        return unconfigured("LiveKit", error)
    return None


def in_livekit(station: Station, camera: str) -> bool:
    """Whether a page should look for a camera there."""
    return station.livekit.shows(camera) and why_not(station.livekit) is None


def viewer_claims(livekit: Livekit, camera: str, viewer: Identity, now: int) -> dict[str, Any]:
    """The claims of a token (LiveKit's video grant, protocol/auth/grants.go).

    What a grant does not name is allowed, so all is named. The identity has a random end: a second
    one with the same identity would throw out the first.
    """
    ends = math.inf if viewer.expires is None else viewer.expires
    return {
        "sub": f"{viewer.name}-{secrets.token_hex(4)}",
        "name": viewer.name,
        "nbf": now - CLOCKS_APART,
        "exp": int(min(now + livekit.ttl, ends)),
        "video": {
            "room": livekit.room_of(camera),
            "roomJoin": True,
            "canSubscribe": True,
            "canPublish": False,
            "canPublishData": False,
            "canPublishSources": [],
            "canUpdateOwnMetadata": False,
            "hidden": True,
        },
    }


def sign(livekit: Livekit, claims: dict[str, Any]) -> str:
    """A JWT (RFC 7519, HS256).

    PyJWT alone: livekit-api is built on it, and brings protobuf and aiohttp, 19 MB more of memory.
    """
    import jwt

    key, secret = livekit.signing()
    return jwt.encode({"iss": key, **claims}, secret, algorithm="HS256")
