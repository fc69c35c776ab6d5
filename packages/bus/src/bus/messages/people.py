"""Who is watching, and what they say to each other."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .base import Message, Timestamp

Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class Viewer(Message):
    """One person, however many tabs and devices they watch with."""

    name: Name
    state: Literal["viewing", "away"]
    since: Timestamp


class Viewers(Message):
    """Everybody who is watching."""

    viewers: list[Viewer]
    count: int = Field(ge=0)
    timestamp: Timestamp


class Heartbeat(Message):
    """A page is still open, or has just been left."""

    session: Identifier
    name: Name
    state: Literal["viewing", "away"] = "viewing"
    left: bool = False


class ChatSend(Message):
    """A message somebody wants to say; `id` is made by the page and stays the same on repeats."""

    id: Identifier
    username: Name
    message: Text


class ChatDelete(Message):
    """An operator takes a message back."""

    id: Identifier
    username: Name


class ChatResult(Message):
    """What became of a `ChatSend` or `ChatDelete`, for its sender."""

    id: Identifier
    accepted: bool
    reason: str | None = Field(default=None, max_length=200)
    wait_seconds: float | None = Field(default=None, ge=0)


class ChatMessage(Message):
    """A message that was accepted; ids and order are assigned once."""

    id: Identifier
    username: Name
    message: Text
    timestamp: Timestamp


class ChatHistory(Message):
    """The last 50 messages, oldest first."""

    messages: list[ChatMessage] = Field(max_length=50)
