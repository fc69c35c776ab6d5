"""WHEP and HLS of MediaMTX at the addresses of our own, while `web.media` is `mediamtx`.

So the page has one origin and one login, and only MediaMTX's UDP port has to be reachable. HLS
sessions are asked for in web's own name: none is bound to a viewer's address, which may change.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import ExitStack

import httpx
from bus.places import FullError, Holder
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response, StreamingResponse

from .body import collect
from .identities import Identities
from .identity import Identity, Who
from .shares import Taker
from .station import Here, Station
from .whep import ENDPOINT, LARGEST, NO_STORE, SESSION, known, links, unavailable

PASSED = ("content-type", "etag", "accept-post", "accept-patch", "cache-control", "retry-after")
"""Headers of MediaMTX that the viewer gets, beside our own."""
SENT = ("content-type", "if-match")
CONNECTING = 10.0
"""Seconds that MediaMTX gives a viewer to connect (webrtcHandshakeTimeout)."""
FILE = re.compile(r"[A-Za-z0-9_.-]{1,200}")

router = APIRouter(tags=["mediamtx"])


@router.post(ENDPOINT, response_class=Response)
@router.options(ENDPOINT, response_class=Response)
async def endpoint(
    camera: str, request: Request, station: Here, viewer: Who, holder: Taker
) -> Response:
    """Watch a camera by WebRTC."""
    check(station, camera)
    url = f"{station.mediamtx.options.whep}/{camera}_camera/whep"
    if request.method == "OPTIONS":
        answer = await whole(station, request, url)
    else:
        answer = await begin(request, station, viewer, holder, url)
    answer.headers.update(links(station, viewer))
    return answer


async def begin(
    request: Request, station: Station, viewer: Identity, holder: Holder, url: str
) -> Response:
    """Make a session; its place is kept for as long as it may take to connect."""
    begun: list[str] = []

    def end() -> None:
        for session in begun:
            station.mediamtx.end(session)

    with ExitStack() as opened:
        try:
            opened.enter_context(station.shares.offers.held(holder, end))
        except FullError:
            raise unavailable("too many viewers connect at this moment") from None
        answer = await whole(station, request, url)
        if location := answer.headers.get("location"):
            session = f"{url.removesuffix('whep')}{location}"
            begun.append(session)
            identities: Identities = request.app.state.identities
            release = identities.grants.add(viewer, lambda _why: end())
            station.mediamtx.end_after(viewer.left, session, release)
            asyncio.get_running_loop().call_later(CONNECTING, opened.pop_all().close)
    return answer


@router.patch(SESSION, response_class=Response)
@router.delete(SESSION, response_class=Response)
async def session(camera: str, session: str, request: Request, station: Here) -> Response:
    """More candidates, or the end."""
    known(station, camera)
    if not FILE.fullmatch(session):
        raise HTTPException(404, "there is no such session")
    url = f"{station.mediamtx.options.whep}/{camera}_camera/whep/{session}"
    answer = await whole(station, request, url)
    if request.method == "DELETE" and answer.status_code == httpx.codes.OK:
        station.mediamtx.forget(url)
    return answer


@router.get("/{camera}_camera/{file}")
async def hls(camera: str, file: str, request: Request, station: Here) -> Response:
    """Playlists, segments and parts; a part that is still to come is waited for."""
    check(station, camera)
    if not FILE.fullmatch(file):
        raise HTTPException(404, "there is no such file")
    query = dict(request.query_params)
    if file == "index.m3u8":
        # What MediaMTX would redirect to when it looks whether cookies work; none are passed on.
        query["cookieCheck"] = "1"
    url = f"{station.mediamtx.options.hls}/{camera}_camera/{file}"
    asked = station.mediamtx.http.build_request("GET", url, params=query)
    answer = await send(station, asked)
    return StreamingResponse(body(answer), answer.status_code, passed(answer))


def check(station: Station, camera: str) -> None:
    """404 for an unknown camera, 503 with the reason when MediaMTX has no picture of it."""
    known(station, camera)
    if why := station.mediamtx.why_not(camera):
        raise HTTPException(503, why, NO_STORE | {"Retry-After": "2"})


async def whole(station: Station, request: Request, url: str) -> Response:
    """Pass a small request on, and its answer back."""
    headers = {name: request.headers[name] for name in SENT if name in request.headers}
    content = await collect(request, LARGEST)
    http = station.mediamtx.http
    asked = http.build_request(request.method, url, headers=headers, content=content)
    answer = await send(station, asked)
    headers = passed(answer)
    if location := answer.headers.get("location"):
        headers["Location"] = f"whep/{location.rpartition('/')[2]}"
    return Response(await answer.aread(), answer.status_code, headers | NO_STORE)


async def send(station: Station, asked: httpx.Request) -> httpx.Response:
    """Ask MediaMTX; raises HTTPException 502 or 504 when it does not answer."""
    try:
        return await station.mediamtx.http.send(asked, stream=True)
    except httpx.TimeoutException:
        raise HTTPException(504, "MediaMTX does not answer in time") from None
    except httpx.HTTPError as error:
        raise HTTPException(502, f"MediaMTX: {str(error) or type(error).__name__}") from None


def passed(answer: httpx.Response) -> dict[str, str]:
    """The headers that go on to the viewer."""
    return {name: answer.headers[name] for name in PASSED if name in answer.headers}


async def body(answer: httpx.Response) -> AsyncIterator[bytes]:
    """What comes, as it comes."""
    try:
        async for part in answer.aiter_bytes():
            yield part
    finally:
        await answer.aclose()
