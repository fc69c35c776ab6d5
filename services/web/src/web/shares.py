"""Places for those who watch, and who takes them: an address, or whoever has signed in."""

from typing import Annotated

from bus.places import ANONYMOUS, OPERATOR, SIGNED_IN, Holder, Places
from fastapi import Depends
from starlette.requests import HTTPConnection

from .client import client_of, person_of
from .identity import Identity, Who
from .limit import Offenders
from .settings import Web

LONGEST = 300
"""Characters of a name by which places are counted."""


class Shares:
    """What everybody shares, on a hub across all its stations."""

    def __init__(self, settings: Web) -> None:
        most = settings.max_viewers
        self.live = Places(most, "live sockets")
        self.pages = Places(most, "pages")
        self.jpegs = Places(most, "streams of JPEGs")
        self.waiting = Places(most, "HLS requests that wait")
        self.offers = Places(most, "WebRTC sessions that connect")
        self.offenders = Offenders()


def holder_of(connection: HTTPConnection, identity: Identity) -> Holder:
    """Who takes a place: a person who has signed in, else the address (of IPv6 the network)."""
    if identity.way == "network":
        name = person_of(client_of(connection).address)
        return Holder(name, OPERATOR if identity.operator else ANONYMOUS)
    name = f"{identity.way}:{identity.subject}"[:LONGEST]
    return Holder(name, OPERATOR if identity.operator else SIGNED_IN)


async def taker(connection: HTTPConnection, identity: Who) -> Holder:
    """Whoever asks, as one who takes a place."""
    return holder_of(connection, identity)


Taker = Annotated[Holder, Depends(taker)]
"""A parameter of a route or WebSocket: who takes a place."""
