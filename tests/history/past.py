"""Somebody who measures, and asks what was."""

import asyncio
import contextlib
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from bus import Bus, BusError, Message, Settings, Topic
from bus.messages import (
    AudioLevel,
    BootTime,
    HistoryList,
    HistoryQuery,
    HistorySeries,
    HistorySource,
    ServiceStatus,
)
from bus.settings import Mqtt
from bus.topics import AUDIO, HISTORY_LIST, HISTORY_QUERY, SERVICE_STATUS, Levels
from conftest import DEADLINE, Service, Start

LEVEL = "audio/level:level_db"


class Past:
    """Publishes as sensors do, and asks as web does."""

    def __init__(self, port: int, start: Start) -> None:
        self.bus = Bus(Settings(mqtt=Mqtt(port=port, retry_max=0.3)), "web", "0")
        self.status: ServiceStatus | None = None
        self._start = start

    async def __aenter__(self) -> "Past":
        self.bus.subscribe(SERVICE_STATUS, self._hear, instance="history")
        self._presence = asyncio.create_task(self.bus.run())
        await self.bus.link.ready()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._presence.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._presence

    def _hear(self, status: ServiceStatus, _levels: Levels) -> None:
        self.status = status

    async def begin(self, **settings: str) -> Service:
        """Start the service; done when it answers."""
        about = {
            key if key.startswith("BEEPER_") else f"BEEPER_HISTORY__{key.upper()}": value
            for key, value in settings.items()
        }
        service = self._start("history", **about)
        await until(self.hears, "history answers, and hears itself")
        return service

    async def hears(self) -> bool:
        with contextlib.suppress(BusError):
            answer = await self.bus.request(HISTORY_LIST, HistoryList(), 1)
            return any(source.topic == "service/history/status" for source in answer.sources)
        return False

    async def say(self, topic: Topic[Any], message: Message, **levels: str) -> None:
        await self.bus.publish(topic, message, **levels)

    async def hum(self, level: float, timestamp: float | None = None, **about: Any) -> float:
        """Publish one level; its time."""
        moment = time.time() if timestamp is None else timestamp
        fields = {"level_db": level, "level_dbfs": -50, "peak_dbfs": -40}
        await self.say(AUDIO, AudioLevel(timestamp=moment, **(fields | about)))
        return moment

    async def sources(self) -> dict[str, HistorySource]:
        answer = await self.bus.request(HISTORY_LIST, HistoryList(), DEADLINE)
        return {source.topic: source for source in answer.sources}

    async def ask(
        self, start: float, end: float, metric: str = LEVEL, points: int = 5000
    ) -> HistorySeries:
        query = HistoryQuery(metric=metric, start=start, end=end, points=points)
        return await self.bus.request(HISTORY_QUERY, query, DEADLINE)

    async def levels(self, since: float) -> list[float]:
        """What was heard since then, as the history has it."""
        series = await self.ask(since - 1, since + 400)
        return [value for value in series.mean if value is not None]

    def status_of(self, part: str) -> str:
        return self.status.problems.get(part, "") if self.status else ""

    async def vouch(self, status: ServiceStatus, timestamp: float, since: BootTime) -> None:
        """Say the status of another service of that boot."""
        said = status.model_copy(update={"timestamp": timestamp, "boot_time": since})
        await self.say(SERVICE_STATUS, said, instance="sensors")

    async def problem(self) -> str:
        return self.status_of("disk")


async def until(condition: Any, what: str) -> None:
    """Ask again and again until it is so."""
    end = time.monotonic() + DEADLINE
    while not await condition():
        if time.monotonic() > end:
            pytest.fail(f"never: {what}")
        await asyncio.sleep(0.02)


def on_disk(folder: Path) -> list[float]:
    """The levels that another process finds in the file."""
    file = folder / "state" / "history.sqlite"
    with contextlib.closing(sqlite3.connect(file)) as database:
        return [row[0] for row in database.execute("SELECT level_db FROM audio_level")]
