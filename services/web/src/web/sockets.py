"""The two WebSockets: live pictures of one camera, and everything else that changes."""

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from fastapi import APIRouter, WebSocket

from .events import Page
from .station import Here
from .wire import EXTENSION, Ending, Wire

UNKNOWN_CAMERA = 4404
BUSY = 4503

router = APIRouter()


@router.websocket("/live/{camera}")
async def live(socket: WebSocket, camera: str, station: Here) -> None:
    """The fragments of a camera as they come, from the last key frame on."""
    if (wire := await accept(socket, station.settings.origins)) is None:
        return
    if (channel := station.hub.channels.get(camera)) is None:
        await socket.close(UNKNOWN_CAMERA, "there is no such camera")
        return
    if station.hub.viewers >= station.settings.max_viewers:
        await socket.close(BUSY, "too many viewers")
        return
    viewer = channel.viewer(wire)
    wire.attach(viewer)
    channel.join(viewer)
    try:
        await finish(socket, wire, viewer.ending)
    finally:
        channel.leave(viewer)


@router.websocket("/events")
async def events(socket: WebSocket, station: Here) -> None:
    """Readings, states, and how the bus is, as they change."""
    if (wire := await accept(socket, station.settings.origins)) is None:
        return
    if len(station.pages.open) >= station.settings.max_viewers:
        await socket.close(BUSY, "too many pages")
        return
    page = Page(wire)
    wire.attach(page)
    station.pages.join(page)
    try:
        await finish(socket, wire, page.ending)
    finally:
        station.pages.leave(page)


async def accept(socket: WebSocket, origins: Collection[str]) -> Wire | None:
    """The wire of a welcome client; None when its page comes from elsewhere (403)."""
    if not welcome(socket.headers, origins):
        await socket.close()
        return None
    await socket.accept()
    wire: Wire = socket.scope["extensions"][EXTENSION]
    return wire


async def finish(socket: WebSocket, wire: Wire, ending: Ending) -> None:
    """Wait for the end; close with the reason, or at once when the peer takes nothing."""
    close = await ending.wait()
    if close is None:
        return
    if wire.writable.is_set():
        await socket.close(*close)
    else:
        wire.abort()


def welcome(headers: Mapping[str, str], origins: Collection[str]) -> bool:
    """Whether a WebSocket comes from a page of this station, or from no page at all.

    A browser always names the page's origin and no script can change it, nor add headers; so the
    name by which a proxy was asked (`X-Forwarded-Host`) is as good as `Host`.
    """
    origin = headers.get("origin")
    if origin is None or origin in origins:
        return True
    host = urlsplit(origin).netloc
    return bool(host) and host in (headers.get("host"), headers.get("x-forwarded-host"))
