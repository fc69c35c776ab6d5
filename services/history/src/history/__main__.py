"""Keeps every reading, and answers what it was."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from bus import Bus, Refusal, main
from bus.messages import HistoryList, HistoryQuery, HistorySeries, HistorySource, HistorySources
from bus.points import HOME
from bus.settings import SettingsError
from bus.topics import HISTORY_LIST, HISTORY_QUERY

from .metric import Metric, UnknownError, read
from .recorder import Recorder
from .settings import History, Settings
from .sqlite import Sqlite

T = TypeVar("T")


class Source(Protocol):
    """Whoever has the past; raises sqlite3.Error or OSError when it cannot answer."""

    async def sources(self, station: str) -> list[HistorySource]:
        """Every topic of a station of which something is kept."""

    async def query(self, metric: Metric, start: float, end: float, points: int) -> HistorySeries:
        """The past of a metric between two Unix times (s), in at most so many buckets."""


async def work(bus: Bus, settings: Settings, _name: str) -> None:
    """The past of every metric: kept in SQLite, answered from there or from InfluxDB."""
    history = settings.history
    recorder = Recorder(bus, settings) if history.record else None
    if source := influx(history) or (recorder and Sqlite(recorder)):
        respond(bus, source, settings.station or HOME)
    await (recorder.run() if recorder else asyncio.Event().wait())


def influx(history: History) -> Source | None:
    """InfluxDB, where it is configured; raises SettingsError for a token that cannot be read."""
    if history.store != "influxdb":
        return None
    # 20 MB of libraries that a station without it never needs.
    from .influx import Influx

    try:
        return Influx(history.influxdb)
    except OSError as error:
        raise SettingsError(f"history.influxdb.token_file: {error}") from None


def respond(bus: Bus, source: Source, home: str) -> None:
    """Answer what is asked over the bus."""

    async def answer_list(asked: HistoryList) -> HistorySources:
        return HistorySources(sources=await answer(lambda: source.sources(asked.station or home)))

    async def answer_query(asked: HistoryQuery) -> HistorySeries:
        if asked.end <= asked.start:
            raise Refusal("the end is not after the start")
        try:
            metric = read(asked.metric, asked.station or home)
        except UnknownError as error:
            raise Refusal(str(error), 404) from None
        return await answer(
            lambda: source.query(metric, asked.start, asked.end, asked.points),
        )

    bus.respond(HISTORY_LIST, answer_list)
    bus.respond(HISTORY_QUERY, answer_query)


async def answer(question: Callable[[], Awaitable[T]]) -> T:
    """What the source answers; Refusal with its words when it cannot."""
    try:
        return await question()
    except (sqlite3.Error, OSError) as error:
        raise Refusal(f"the past cannot be read: {error}", 503) from None


if __name__ == "__main__":
    main("history", Settings, work, dated=True)
