"""Questions about the past and their answers."""

from typing import Annotated

from pydantic import Field

from .base import Level, Message, Timestamp

Moment = Annotated[float, Field(ge=0, le=32_503_680_000, description="Unix time (s)")]


class HistoryQuery(Message):
    """One field of one topic over a span of time, downsampled to the points asked for."""

    metric: str = Field(
        pattern=r"^[a-z0-9_/-]{1,200}:\w{1,64}$", description="topic below `beeper/`, then `:field`"
    )
    start: Moment
    end: Moment
    points: int = Field(default=500, ge=1, le=5000, description="about as many")
    station: Level | None = Field(default=None, description="on a hub; null = the one at home")


class HistorySeries(Message):
    """Columns of equal length; a row of null values is a gap.

    Each row stands for the readings of one `step`, at the mean of their times.
    """

    step: float = Field(gt=0, description="s that a row stands for")
    timestamps: list[Timestamp]
    mean: list[float | None]
    min: list[float | None]
    max: list[float | None]


class HistoryList(Message):
    """What is there to be asked for?"""

    station: Level | None = Field(default=None, description="on a hub; null = the one at home")


class HistorySource(Message):
    """One topic that is kept."""

    topic: str = Field(description="below `beeper/`")
    fields: list[str] = Field(description="numbers that ever had a value")
    interval: float | None = Field(description="s between two readings, as it said last")
    first: Timestamp | None = Field(description="the oldest reading that is kept")
    last: Timestamp | None = Field(description="the newest one")


class HistorySources(Message):
    """Everything that is kept of a station."""

    sources: list[HistorySource]
