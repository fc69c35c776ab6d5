"""The life of a source: one that fails is reported once, and once when it is back."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest
from bus import Bus, Refused
from bus.messages import AudioLevel
from bus.settings import Settings
from bus.topics import AUDIO
from sensors.settings import Sensors
from sensors.source import Fault, sample

Read = Callable[[], Awaitable[AudioLevel | None]]
LEVEL = AudioLevel(timestamp=1, level_db=1, level_dbfs=-1, peak_dbfs=-1)


class Enough(Exception):
    """The script is over."""


def played(*steps: AudioLevel | BaseException | None) -> Read:
    script = iter((*steps, Enough()))

    async def read() -> AudioLevel | None:
        step = next(script)
        if isinstance(step, BaseException):
            raise step
        return step

    return read


class Recorder(Bus):
    """A bus that keeps what is published; it never connects."""

    def __init__(self, refuses: bool = False) -> None:
        super().__init__(Settings(), "sensors", "0")
        self.published: list[object] = []
        self.refuses = refuses

    async def publish(self, topic: object, message: object, **levels: str) -> None:
        if self.refuses:
            raise Refused("not authorised")
        self.published.append(message)


async def play(bus: Bus, read: Read) -> None:
    with pytest.raises(Enough):
        await sample(bus, "part", AUDIO, read, Sensors(interval=0.05, retry=0.05))


async def test_a_failure_is_logged_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    bus, away = Recorder(), Fault("it is away: plug it in")
    with caplog.at_level(logging.INFO):
        await play(bus, played(LEVEL, away, away, away, LEVEL, LEVEL))
    said = [record.getMessage() for record in caplog.records]
    assert said == ["part: it is away: plug it in", "part: works again"]
    assert bus.published == [LEVEL] * 3
    assert bus.problems == {}


async def test_a_failure_that_lasts_stays_in_the_status() -> None:
    bus = Recorder()
    await play(bus, played(Fault("it is away")))
    assert bus.problems == {"part": "it is away"}


async def test_nothing_measured_is_nothing_published() -> None:
    bus = Recorder()
    await play(bus, played(None, None))
    assert bus.published == []
    assert bus.problems == {}


async def test_a_refusal_by_the_broker_is_a_problem(caplog: pytest.LogCaptureFixture) -> None:
    bus = Recorder(refuses=True)
    await play(bus, played(LEVEL, LEVEL))
    assert "refused" in bus.problems["part"]
    assert len(caplog.records) == 1


async def test_anything_else_ends_the_service() -> None:
    with pytest.raises(ZeroDivisionError):
        await sample(Recorder(), "part", AUDIO, played(ZeroDivisionError()), Sensors())


async def test_failed_sources_are_tried_at_their_own_pace() -> None:
    sensors = Sensors(interval=60, retry=0.05)
    async with asyncio.timeout(5):
        with pytest.raises(Enough):
            await sample(Recorder(), "part", AUDIO, played(Fault("a"), Fault("b")), sensors)
