"""WHEP signalling (draft-ietf-wish-whep) between web and webrtc."""

from typing import Literal

from pydantic import Field

from .base import Lease, Level, Message, Timed, Timestamp
from .people import Identifier

Sdp = Field(max_length=65_536, description="session description, RFC 8866")


class WebrtcOffer(Message):
    """A viewer's offer."""

    camera: Level
    sdp: str = Sdp
    seconds: float | None = Field(
        default=None, ge=0, description="for which the viewer may watch; null = without end"
    )
    holder: str = Field(default="", max_length=400, description="whose place it takes (places.py)")
    rank: Literal[0, 1, 2] = Field(
        default=0, description="of the holder: anonymous, signed in, operator"
    )
    grant: str = Field(
        default="", max_length=128, description="the sign-in that allows it; empty = none needed"
    )


class WebrtcAnswer(Message):
    """The answer, and the session's id for ending it."""

    session: Identifier
    etag: str = Field(max_length=64, description="of the ICE session, RFC 9725 §4.3")
    sdp: str = Sdp


class WebrtcCandidates(Message):
    """Candidates that a viewer has found after its offer (trickle ICE)."""

    session: Identifier
    etag: str = Field(max_length=64, description="of the ICE session that they belong to")
    fragment: str = Field(max_length=16_384, description="trickle-ice-sdpfrag, RFC 8840")


class WebrtcEnd(Message):
    """A viewer has left."""

    session: Identifier


class WebrtcDone(Message):
    """What was asked has been done."""

    session: Identifier


class IceServer(Message):
    """A STUN or TURN server as browsers take it (RTCIceServer)."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


class WebrtcStatus(Timed):
    """How many viewers there are, and what a browser needs to become one."""

    sessions: int = Field(ge=0, description="connected and connecting")
    max_sessions: int = Field(ge=1)
    ice_servers: list[IceServer] = Field(max_length=16)
    timestamp: Timestamp


class WebrtcGrants(Message):
    """The sign-ins by which somebody watches at this moment, for `web` to judge."""

    grants: list[str] = Field(max_length=10_000)


class WebrtcRevoke(Message):
    """A sign-in has ended: so do the sessions that it allowed."""

    grant: str = Field(min_length=1, max_length=128)


class WebrtcLease(Lease):
    """Somebody is about to watch this camera: have its group of pictures ready for a while."""
