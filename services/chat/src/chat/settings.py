"""Settings of `chat`."""

import bus
from bus.settings import Section
from pydantic import Field


class Chat(Section):
    """The conversation, and who is watching."""

    keep: bool = Field(
        False, description="keep the conversation when the whole station starts anew"
    )
    expire: float = Field(
        0, ge=0, le=31_536_000, description="s after which a message is deleted; 0 = never"
    )
    burst: int = Field(5, ge=1, le=100, description="messages a person may say at once")
    rate: float = Field(0.5, gt=0, le=100, description="messages a second that they regain")
    remembered: int = Field(
        1000, ge=100, le=100_000, description="messages whose repeats are still recognised"
    )
    heartbeat: float = Field(
        30, gt=0, le=600, description="s between heartbeats; for so long a restart takes on trust"
    )
    away_after: float = Field(60, gt=0, le=3600, description="s of silence that make one away")
    gone_after: float = Field(120, gt=0, le=7200, description="s of silence that make one gone")
    people: int = Field(5000, ge=1, le=100_000, description="people in the roster at most")
    pause: float = Field(1, gt=0, le=60, description="s between two rosters at least")
    repeat: float = Field(10, gt=0, le=600, description="s after which states are said again")


class Settings(bus.Settings):
    """Everything that `chat` knows."""

    chat: Chat = Chat()
