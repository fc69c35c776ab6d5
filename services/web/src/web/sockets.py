"""The two WebSockets: live pictures of one camera, and everything else that changes."""

import asyncio
import math

from fastapi import APIRouter, WebSocket

from .events import Page
from .identity import Identity, Who
from .station import Here
from .visitor import Visitor
from .wire import EXTENSION, Ending, Wire

EXPIRED = 4401
UNKNOWN_CAMERA = 4404
BUSY = 4503

router = APIRouter()


@router.websocket("/live/{camera}")
async def live(socket: WebSocket, camera: str, station: Here, identity: Who) -> None:
    """The fragments of a camera as they come, from the last key frame on."""
    wire = await accept(socket)
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
        await finish(socket, wire, viewer.ending, identity)
    finally:
        channel.leave(viewer)


@router.websocket("/events")
async def events(socket: WebSocket, station: Here, identity: Who) -> None:
    """Readings, states, and how the bus is, as they change."""
    wire = await accept(socket)
    if len(station.pages.open) >= station.settings.max_viewers:
        await socket.close(BUSY, "too many pages")
        return
    page = Page(wire, Visitor(identity, station.talk, station.motor))
    wire.attach(page)
    station.pages.join(page)
    try:
        with station.motor.present(identity):
            await finish(socket, wire, page.ending, identity)
    finally:
        station.pages.leave(page)


async def accept(socket: WebSocket) -> Wire:
    """The wire of a client that is let in."""
    await socket.accept()
    wire: Wire = socket.scope["extensions"][EXTENSION]
    return wire


async def finish(socket: WebSocket, wire: Wire, ending: Ending, identity: Identity) -> None:
    """Wait for the end; close with the reason, or at once when the peer takes nothing."""
    expiry = None
    if identity.left < math.inf:
        words = (EXPIRED, "your sign-in has expired")
        expiry = asyncio.get_running_loop().call_later(identity.left, ending.set, words)
    close = await ending.wait()
    if expiry:
        expiry.cancel()
    if close is None:
        return
    if wire.writable.is_set():
        await socket.close(*close)
    else:
        wire.abort()
