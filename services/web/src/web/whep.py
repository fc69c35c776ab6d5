"""WHEP (draft-ietf-wish-whep): signalling for viewers of WebRTC, handed on to `webrtc`."""

import math
from typing import Annotated

from bus import BusError, Declined, Nobody
from bus.messages import IceServer, WebrtcCandidates, WebrtcEnd, WebrtcOffer
from bus.topics import WEBRTC_CANDIDATES, WEBRTC_END, WEBRTC_OFFER
from fastapi import APIRouter, Header, HTTPException, Request
from fastapi.responses import Response
from pydantic import ValidationError

from .body import collect
from .ice import ice_servers
from .identities import grant_of
from .identity import Identity, Who
from .shares import Taker
from .station import Here, Station
from .trouble import at_work, bus_trouble, camera_trouble, service_trouble

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"
LARGEST = 65_536
"""Bytes of a description; a browser's offer has about five thousand."""
NO_STORE = {"Cache-Control": "no-store"}
EXPOSED = {"Access-Control-Expose-Headers": "Location, ETag, Link"}
ENDPOINT, SESSION = "/{camera}_camera/whep", "/{camera}_camera/whep/{session}"

router = APIRouter(tags=["webrtc"])


@router.post(ENDPOINT, status_code=201, response_class=Response)
async def offer(
    camera: str, request: Request, station: Here, viewer: Who, holder: Taker
) -> Response:
    """Watch a camera: an SDP offer in, an SDP answer out; 503 with the reason when it cannot be."""
    known(station, camera)
    if not watchable(station):
        why = bus_trouble(station.pulse) or service_trouble("webrtc", station.readings)
        raise unavailable(why or "service webrtc is not there")
    body = await read(request, SDP)
    try:
        left = viewer.left if viewer.left < math.inf else None
        asked = WebrtcOffer(
            camera=camera,
            sdp=body,
            seconds=left,
            holder=holder.name,
            rank=holder.rank,
            grant=grant_of(viewer),
        )
    except ValidationError:
        raise HTTPException(400, "that is no session description") from None
    try:
        answer = await station.bus.request(WEBRTC_OFFER, asked, station.settings.webrtc_wait)
    except BusError as error:
        raise refusal(station, error, camera) from None
    headers = {"Location": f"whep/{answer.session}", "ETag": answer.etag} | links(station, viewer)
    return Response(answer.sdp, 201, headers | NO_STORE | EXPOSED, SDP)


@router.options(ENDPOINT, response_class=Response)
async def options(camera: str, station: Here, viewer: Who) -> Response:
    """What may be sent here, and the STUN and TURN servers to use."""
    known(station, camera)
    allowed = {"Allow": "OPTIONS, POST", "Accept-Post": SDP}
    return Response(status_code=204, headers=allowed | links(station, viewer) | NO_STORE | EXPOSED)


@router.options(SESSION, response_class=Response)
async def session_options(camera: str, session: str, station: Here) -> Response:
    """What may be sent to a session."""
    known(station, camera)
    allowed = {"Allow": "DELETE, OPTIONS, PATCH", "Accept-Patch": FRAGMENT}
    return Response(status_code=204, headers=allowed | NO_STORE)


@router.get(SESSION, include_in_schema=False)
async def no_get(camera: str, session: str, station: Here) -> None:
    """Nothing is read from a session; without this a file of HLS would be looked for."""
    known(station, camera)
    raise HTTPException(405, "nothing is read here", headers={"Allow": "DELETE, OPTIONS, PATCH"})


@router.patch(SESSION, status_code=204, response_class=Response)
async def candidates(
    camera: str,
    session: str,
    request: Request,
    station: Here,
    if_match: Annotated[str | None, Header()] = None,
) -> Response:
    """More candidates of a viewer (trickle ICE); an ICE restart is refused with 422."""
    known(station, camera)
    fragment = await read(request, FRAGMENT)
    if if_match is None:
        raise HTTPException(428, "If-Match must hold the ETag of the answer")
    try:
        asked = WebrtcCandidates(session=session, etag=if_match, fragment=fragment)
    except ValidationError:
        raise HTTPException(400, "that is no fragment of a session description") from None
    try:
        await station.bus.request(WEBRTC_CANDIDATES, asked, station.settings.webrtc_wait)
    except BusError as error:
        raise refusal(station, error, camera) from None
    return Response(status_code=204, headers=NO_STORE)


@router.delete(SESSION, response_class=Response)
async def end(camera: str, session: str, station: Here) -> Response:
    """Watch no longer."""
    known(station, camera)
    try:
        asked = WebrtcEnd(session=session)
        await station.bus.request(WEBRTC_END, asked, station.settings.webrtc_wait)
    except ValidationError:
        raise HTTPException(404, "there is no such session") from None
    except BusError as error:
        raise refusal(station, error, camera) from None
    return Response(status_code=200, headers=NO_STORE)


def known(station: Station, camera: str) -> None:
    """404 for a camera that nobody has heard of."""
    if camera not in station.hub.channels:
        raise HTTPException(404, f"there is no camera {camera[:64]!r}")


async def read(request: Request, kind: str) -> str:
    """The body as text; 415 for another kind, 413 for too much, 400 for what is no text."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != kind:
        raise HTTPException(415, f"the content type must be {kind}", {"Accept": kind})
    try:
        return (await collect(request, LARGEST)).decode()
    except UnicodeDecodeError:
        raise HTTPException(400, "the body is not UTF-8") from None


def refusal(station: Station, error: BusError, camera: str) -> HTTPException:
    """The answer when webrtc refuses, or is not there."""
    if isinstance(error, Declined) and error.code != 503:
        return HTTPException(error.code, str(error), NO_STORE)
    if isinstance(error, Declined):
        return unavailable(camera_trouble(camera, station.readings, station.pulse) or str(error))
    gone = bus_trouble(station.pulse) or service_trouble("webrtc", station.readings)
    nobody = "service webrtc is not there" if isinstance(error, Nobody) else f"webrtc: {error}"
    return unavailable(gone or nobody)


def unavailable(why: str) -> HTTPException:
    """503: it may work again in a moment."""
    return HTTPException(503, why, NO_STORE | {"Retry-After": "2"})


def watchable(station: Station) -> bool:
    """Whether WebRTC is to be offered at this moment."""
    return at_work("webrtc", station.readings)


def links(station: Station, viewer: Identity) -> dict[str, str]:
    """STUN and TURN servers as a Link header (RFC 9725 §4.6)."""
    found = [link(url, server) for server in ice_servers(station, viewer) for url in server.urls]
    return {"Link": ", ".join(found)} if found else {}


def link(url: str, server: IceServer) -> str:
    """One server of a Link header."""
    text = f'<{url}>; rel="ice-server"'
    if server.credential:
        text += f'; username="{server.username or ""}"; credential="{server.credential}"'
        text += '; credential-type="password"'
    return text
