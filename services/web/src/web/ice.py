"""The STUN and TURN servers that a viewer is told of."""

import time
from typing import Any, NamedTuple

from bus.messages import IceServer
from bus.topics import WEBRTC_STATUS
from bus.turn import Turn, credentials

from .identity import Identity
from .station import Station


class Relays(NamedTuple):
    """The servers of `[turn]` for one viewer."""

    servers: list[IceServer]
    expires: int | None
    """Unix time (s) at which the credentials end."""
    note: str | None
    """Why there is no TURN server among them, where there should be."""


def ice_servers(station: Station, viewer: Identity) -> list[IceServer]:
    """Those of `webrtc`, and those of `[turn]` with the viewer's own credentials."""
    status = station.readings.get(WEBRTC_STATUS)
    return [*(status.ice_servers if status else []), *relays(station.turn, viewer).servers]


def offered(station: Station, viewer: Identity) -> list[dict[str, Any]]:
    """The same as browsers take them (RTCIceServer)."""
    return [server.model_dump(exclude_none=True) for server in ice_servers(station, viewer)]


def relays(turn: Turn, viewer: Identity) -> Relays:
    """The servers of `[turn]`; the TURN ones only while there is a secret for credentials."""
    stun = [url for url in turn.urls if url.startswith("stun")]
    urls = [url for url in turn.urls if url.startswith("turn")]
    servers = [IceServer(urls=stun)] if stun else []
    if not urls:
        return Relays(servers, None, None)
    try:
        secret = turn.shared_secret()
    except (OSError, ValueError) as error:
        return Relays(servers, None, unconfigured("TURN", error))
    made = credentials(secret, viewer.name, int(time.time()) + turn.ttl)
    server = IceServer(urls=urls, username=made.username, credential=made.credential)
    return Relays([*servers, server], made.expires, None)


def unconfigured(what: str, error: OSError | ValueError) -> str:
    """A reason for the page, without the path of a file."""
    if isinstance(error, OSError):
        return f"{what} is not configured: the file of its secret: {error.strerror}"
    return f"{what} is not configured: {error}"
