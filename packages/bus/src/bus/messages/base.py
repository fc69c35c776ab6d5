"""What every payload of the bus has in common."""

from typing import Annotated

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


class Metric(Message):
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
