"""What was measured, asked of `history` for the page's charts."""

import asyncio
from typing import Annotated, Any, Literal

from bus import BusError, Declined, Nobody, Request, wall_clock
from bus.messages import HistoryList, HistoryQuery
from bus.topics import HISTORY_LIST, HISTORY_QUERY, A, Q
from fastapi import APIRouter, HTTPException, Response
from fastapi import Query as InQuery
from pydantic import StringConstraints

from .mjpeg import NO_STORE
from .station import Here, Station

RANGES = {"hour": 3600.0, "day": 86_400.0, "week": 604_800.0, "month": 2_592_000.0}
"""s; a month has 30 days."""
LATEST = 32_503_680_000
"""The year 3000 (Unix s): what is beyond is no time of a reading."""
AWAY: dict[int | str, dict[str, Any]] = {503: {"description": "history or the bus is not there"}}

Metric = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_/-]{1,200}:\w{1,64}$")]
Moment = Annotated[float, InQuery(ge=0, le=LATEST, allow_inf_nan=False)]

router = APIRouter(tags=["readings"])


@router.get("/api/history/metrics", responses=AWAY)
async def metrics(station: Here, response: Response) -> dict[str, Any]:
    """What is kept: each topic with its numbers; a metric is `<topic>:<field>`."""
    response.headers.update(NO_STORE)
    answer = await ask(station, HISTORY_LIST, HistoryList(station=station.name or None))
    return {"sources": [source.model_dump() for source in answer.sources]}


@router.get("/api/history", responses=AWAY)
async def history(
    station: Here,
    response: Response,
    metric: Annotated[list[Metric], InQuery(min_length=1, max_length=8)],
    span: Annotated[Literal["hour", "day", "week", "month"], InQuery(alias="range")] = "day",
    begin: Annotated[Moment | None, InQuery(alias="from")] = None,
    end: Annotated[Moment | None, InQuery(alias="to")] = None,
    points: Annotated[int, InQuery(ge=1, le=5000)] = 500,
) -> dict[str, Any]:
    """The past of up to eight metrics: min, mean and max of at most so many pieces of time.

    The last hour, day (the default), week or month, or `from` and `to` (Unix s; each alone ends or
    begins a `range`). Nulls are a gap: nothing was measured for longer than three intervals.
    """
    response.headers.update(NO_STORE)
    start, stop = bounds(RANGES[span], begin, end)
    about: dict[str, Any] = {"start": start, "end": stop, "points": points}
    queries = [HistoryQuery(metric=m, station=station.name or None, **about) for m in metric]
    answers = await asyncio.gather(*(ask(station, HISTORY_QUERY, query) for query in queries))
    series = [{"metric": m} | a.model_dump() for m, a in zip(metric, answers, strict=True)]
    return {"from": start, "to": stop, "series": series}


def bounds(span: float, begin: float | None, end: float | None) -> tuple[float, float]:
    """From when to when (Unix s)."""
    if end is None:
        end = wall_clock.now() if begin is None else min(wall_clock.now(), begin + span)
    if begin is None:
        begin = max(0.0, end - span)
    if begin >= end:
        raise HTTPException(400, "`to` is not after `from`")
    return begin, end


async def ask(station: Station, request: Request[Q, A], query: Q) -> A:
    """The answer of `history`, or its refusal as HTTP has it."""
    try:
        return await station.bus.request(request, query, station.settings.history_wait)
    except Declined as error:
        raise HTTPException(error.code, str(error)) from None
    except Nobody:
        raise HTTPException(503, "the history service is not there") from None
    except BusError as error:
        raise HTTPException(503, f"the history service does not answer: {error}") from None
