"""What every payload of the bus has in common."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

LEVEL = r"[a-z0-9][a-z0-9_-]{0,63}"
Level = Annotated[str, StringConstraints(pattern=f"^{LEVEL}$")]
"""One level of a topic: the name of a camera, an instance, a station."""

LATEST = 9_000_000_000
"""Unix time up to which time series count nanoseconds in 64 bits (InfluxDB): the year 2255."""
Timestamp = Annotated[float, Field(gt=0, lt=LATEST, description="Unix time of the measurement (s)")]


class Message(BaseModel):
    """One JSON object, UTF-8, snake_case; what is unknown is null or absent, never 0."""

    # Built when it is used first: a service uses few of the messages, and each costs memory.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


ClockState = Literal["known", "unconfirmed", "unset"]
"""Whether somebody vouches for the wall clock; nobody does and it may be right; it is wrong."""


class BootTime(Message):
    """When something was, by a clock that nobody can set: it gets its Unix time later."""

    boot: str = Field(max_length=64, description="boot id of the machine (random(4))")
    boottime: float = Field(ge=0, lt=LATEST, description="seconds since that boot, CLOCK_BOOTTIME")
    state: ClockState = Field(description="unset = the timestamp beside it is wrong")


class Timed(Message):
    """What says when it was."""

    boot_time: BootTime | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="absent while the sender's clock is known to be right",
    )
    """Absent, and not null, so that an older receiver understands what a right clock sends."""


class Metric(Timed):
    """A flat measurement with the time at which it was made.

    An old reading is never republished under a new time: a source that has stopped is silent,
    and its consumers see the age grow past three intervals.
    """

    timestamp: Timestamp
    interval: float | None = Field(
        default=None, gt=0, description="time until the next one is due (s)"
    )
    simulated: bool = Field(default=False, description="true when no real hardware was read")


class Lease(Message):
    """Somebody wants something for a while."""

    holder: str = Field(min_length=1, max_length=64, description="instance that asks")
    seconds: float = Field(gt=0, le=120)
