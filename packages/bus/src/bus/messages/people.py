"""Who is watching, and what they say to each other."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .base import Message, Timed, Timestamp

Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=64)]
MessageId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{8,64}$")]
"""A UUID, or what serves as one."""
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
RawText = Annotated[str, StringConstraints(max_length=4000)]
"""As somebody typed it; `chat` decides what is left of it."""
Presence = Literal["viewing", "away"]


class Viewer(Message):
    """One person, however many tabs and devices they watch with."""

    name: Name
    state: Presence
    since: Timestamp = Field(description="Unix time at which this state began (s)")
    seen: Timestamp = Field(description="Unix time of the last heartbeat (s)")


class Viewers(Timed):
    """Everybody who is watching."""

    viewers: list[Viewer]
    count: int = Field(ge=0, description="all of them, even where the list had to be cut")
    timestamp: Timestamp


class Heartbeat(Message):
    """A page is still open, or has just been left."""

    session: Identifier
    name: Name
    state: Presence = "viewing"
    left: bool = False


class ChatSend(Message):
    """A message somebody wants to say; `id` is made by the page and stays the same on repeats."""

    id: MessageId
    username: Name
    message: RawText


class ChatDelete(Message):
    """An operator takes a message back; `web` has checked that it is one."""

    id: MessageId
    username: Name


class ChatMessage(Timed):
    """A message that was accepted; number and time are assigned once."""

    id: MessageId
    number: int = Field(ge=1, description="the order; grows for ever, with gaps")
    username: Name
    message: Text
    timestamp: Timestamp


ChatRefusal = Literal["empty", "too_long", "too_fast", "taken", "missing", "unstored", "busy"]


class ChatResult(Message):
    """What became of a `ChatSend` or `ChatDelete`; a repeat gets the same answer."""

    id: MessageId
    accepted: bool
    said: ChatMessage | None = Field(
        default=None, description="the message as accepted; null when it is deleted by now"
    )
    refusal: ChatRefusal | None = None
    reason: str | None = Field(default=None, max_length=200)
    wait_seconds: float | None = Field(default=None, ge=0)


class ChatHistory(Message):
    """The last 50 messages, oldest first."""

    conversation: Identifier = Field(description="another one when it began anew")
    last: int = Field(ge=0, description="the highest number that was ever assigned")
    messages: list[ChatMessage] = Field(max_length=50)
    timestamp: Timestamp
