"""Pictures over plain HTTP: a stream of JPEGs, or one."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from bus.places import FullError
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from .identities import Identities
from .identity import Who
from .jpegs import NoPicture, Picture
from .shares import Taker
from .station import Here, Station

BOUNDARY = "beeper"
NO_STORE = {"Cache-Control": "no-store"}

router = APIRouter(tags=["pictures"])


def choose(station: Station, camera: str | None) -> str:
    """The camera that was asked for, or the first; raises 404, or 503 when there is none yet."""
    known = sorted(station.hub.channels)
    if camera in known:
        return camera
    if camera is not None:
        raise HTTPException(404, f"there is no camera {camera[:64]!r}")
    if not known:
        raise HTTPException(503, "no camera has been heard of")
    return known[0]


@router.get("/camera/stream.mjpg", response_class=Response)
async def stream(
    request: Request, station: Here, viewer: Who, holder: Taker, camera: str | None = None
) -> StreamingResponse:
    """Motion JPEG (multipart/x-mixed-replace); 503 with the reason when there is no picture.

    It ends when no more pictures come, with the viewer's right to see them, and when somebody else
    needs the place more.
    """
    name = choose(station, camera)
    identities: Identities = request.app.state.identities
    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def end(_reason: str = "") -> None:
        if not over.done():
            over.set_result(None)

    with contextlib.ExitStack() as opened:
        try:
            opened.enter_context(station.shares.jpegs.held(holder, end))
        except FullError:
            raise HTTPException(503, "too many viewers") from None
        opened.enter_context(identities.grants.held(viewer, end))
        pictures = station.jpegs.pictures(name, over)
        first = await next_picture(pictures)
        return Stream(parts(first, pictures), opened.pop_all())


class Stream(StreamingResponse):
    """A stream of JPEGs that gives its place back however it ends."""

    def __init__(self, content: AsyncGenerator[bytes, None], opened: contextlib.ExitStack) -> None:
        kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
        super().__init__(content, media_type=kind, headers=NO_STORE)
        self._opened = opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._opened:
            await super().__call__(scope, receive, send)


@router.get("/camera/snapshot", response_class=Response, include_in_schema=False)
@router.get("/camera/snapshot.jpg", response_class=Response)
async def snapshot(station: Here, camera: str | None = None) -> Response:
    """One fresh JPEG; 503 with the reason when there is none."""
    pictures = station.jpegs.pictures(choose(station, camera))
    async with contextlib.aclosing(pictures):
        picture = await next_picture(pictures)
    return Response(picture.jpeg, media_type="image/jpeg", headers=NO_STORE | stamp(picture))


async def next_picture(pictures: AsyncGenerator[Picture, None]) -> Picture:
    """The next picture, or 503."""
    try:
        return await anext(pictures)
    except NoPicture as why:
        raise HTTPException(503, str(why), headers=NO_STORE) from None


async def parts(
    first: Picture, pictures: AsyncGenerator[Picture, None]
) -> AsyncGenerator[bytes, None]:
    """Each picture as a part, while they come."""
    async with contextlib.aclosing(pictures):
        with contextlib.suppress(NoPicture):
            yield part(first)
            async for picture in pictures:
                yield part(picture)


def part(picture: Picture) -> bytes:
    """One part of multipart/x-mixed-replace, closed by the next boundary so it is shown at once."""
    fields = {"Content-Type": "image/jpeg", "Content-Length": str(len(picture.jpeg))}
    head = "".join(f"{k}: {v}\r\n" for k, v in (fields | stamp(picture)).items())
    return f"--{BOUNDARY}\r\n{head}\r\n".encode() + picture.jpeg + b"\r\n"


def stamp(picture: Picture) -> dict[str, str]:
    """The header that says when a picture was captured (Unix s), as far as that is known."""
    return {} if picture.capture is None else {"X-Timestamp": f"{picture.capture:.6f}"}
