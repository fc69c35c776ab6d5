"""The two WebSockets: live pictures of one camera, and everything else that changes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from bus.places import FullError, Holder, Places
from fastapi import APIRouter, Depends, WebSocket

from .events import Page
from .identities import Identities
from .identity import Identity, Who
from .shares import Taker
from .station import Here
from .visitor import Visitor
from .wire import EXTENSION, POLICY, Ending, Wire

ENDED = 4401
"""The right to be here has ended: expired, signed out, removed."""
UNKNOWN_CAMERA = 4404
BUSY = 4503
NEEDED = (BUSY, "somebody else needs the place more")

router = APIRouter()


async def polite(station: Here, holder: Taker) -> Holder:
    """Whoever takes a place; 429 while they are refused for what they did on other sockets."""
    station.shares.offenders.check(holder.name)
    return holder


Polite = Annotated[Holder, Depends(polite)]


@router.websocket("/live/{camera}")
async def live(
    socket: WebSocket, camera: str, station: Here, identity: Who, holder: Polite
) -> None:
    """The fragments of a camera as they come, from the last key frame on."""
    wire = await accept(socket)
    if (channel := station.hub.channels.get(camera)) is None:
        await socket.close(UNKNOWN_CAMERA, "there is no such camera")
        return
    viewer = channel.viewer(wire)
    try:
        with opened(socket, station.shares.live, holder, identity, viewer.ending):
            wire.attach(viewer)
            channel.join(viewer)
            try:
                await finish(socket, wire, viewer.ending, station, holder)
            finally:
                channel.leave(viewer)
    except FullError:
        await socket.close(BUSY, "too many viewers")


@router.websocket("/events")
async def events(socket: WebSocket, station: Here, identity: Who, holder: Polite) -> None:
    """Readings, states, and how the bus is, as they change."""
    wire = await accept(socket)
    page = Page(wire, Visitor(identity, station.talk, station.motor))
    try:
        with (
            opened(socket, station.shares.pages, holder, identity, page.ending),
            station.motor.present(identity),
        ):
            wire.attach(page)
            station.pages.join(page)
            try:
                await finish(socket, wire, page.ending, station, holder)
            finally:
                station.pages.leave(page)
    except FullError:
        await socket.close(BUSY, "too many pages")


async def accept(socket: WebSocket) -> Wire:
    """The wire of a client that is let in."""
    await socket.accept()
    wire: Wire = socket.scope["extensions"][EXTENSION]
    return wire


@contextmanager
def opened(
    socket: WebSocket, places: Places, holder: Holder, identity: Identity, ending: Ending
) -> Iterator[None]:
    """A place for as long as the right to it lasts and nobody needs it more; else FullError."""
    identities: Identities = socket.app.state.identities
    with (
        places.held(holder, lambda: ending.set(NEEDED)),
        identities.grants.held(identity, lambda why: ending.set((ENDED, why))),
    ):
        yield


async def finish(
    socket: WebSocket, wire: Wire, ending: Ending, station: Here, holder: Holder
) -> None:
    """Wait for the end; close with the reason, or at once when the peer takes nothing."""
    close = await ending.wait()
    if close is None:
        return
    code, reason = close
    if code == POLICY:
        station.shares.offenders.note(holder.name, reason)
    if wire.writable.is_set():
        await socket.close(code, reason)
    else:
        wire.abort()
