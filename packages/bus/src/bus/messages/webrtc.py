"""WHEP signalling (draft-ietf-wish-whep) between web and webrtc."""

from pydantic import Field

from .base import Level, Message
from .people import Identifier

Sdp = Field(max_length=65_536, description="session description, RFC 8866")


class WebrtcOffer(Message):
    """A viewer's offer."""

    camera: Level
    sdp: str = Sdp


class WebrtcAnswer(Message):
    """The answer, and the session's id for ending it."""

    session: Identifier
    sdp: str = Sdp


class WebrtcEnd(Message):
    """A viewer has left."""

    session: Identifier
