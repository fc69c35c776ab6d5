"""Questions about the past and their answers."""

from typing import Annotated

from pydantic import Field

from .base import Message, Timestamp


class HistoryQuery(Message):
    """One field of one topic over a span of time, downsampled to the points asked for."""

    metric: str = Field(max_length=200, description="topic below `beeper/`, then `:field`")
    start: Timestamp
    end: Timestamp
    points: int = Field(default=500, ge=1, le=5000)


class HistorySeries(Message):
    """Columns of equal length; null where nothing was measured."""

    timestamps: list[Annotated[float, Field(gt=0)]]
    mean: list[float | None]
    min: list[float | None]
    max: list[float | None]
