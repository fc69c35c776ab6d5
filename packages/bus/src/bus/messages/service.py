"""What services say of their own life."""

from typing import Literal

from pydantic import Field

from .base import Message, Timed, Timestamp

ServiceState = Literal["online", "offline", "lost"]


class ServiceStatus(Timed):
    """The life of one instance; older than 30 s counts as lost, whatever it says."""

    state: ServiceState = Field(description="offline = stopped cleanly, lost = died (last will)")
    version: str = Field(max_length=64)
    started_at: Timestamp
    timestamp: Timestamp
    invalid_messages: int = Field(default=0, ge=0, description="payloads received and dropped")
    problems: dict[str, str] = Field(
        default_factory=dict, description="part of the service → what it misses, in words"
    )


class Echo(Message):
    """A round trip to the broker, so that a broker that has stopped in place is noticed."""

    timestamp: Timestamp
