"""The loudness around the station: one source of samples, a meter, and a reading an interval."""

import asyncio
from collections.abc import Callable

from bus import Bus, Refused
from bus.messages import AudioLevel
from bus.topics import AUDIO

from . import alsa, hiss
from .level import Level, Meter
from .settings import Audio

LOWEST_DB, HIGHEST_DB = -100, 200


async def watch(bus: Bus, audio: Audio) -> None:
    """Listen and publish until cancelled; a slow broker never stops the listening."""
    meter = Meter()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(listen(bus, audio, meter))
        tasks.create_task(report(bus, audio, meter))


async def listen(bus: Bus, audio: Audio, meter: Meter) -> None:
    """Keep a source of samples running; pauses double while it fails."""
    loop = asyncio.get_running_loop()
    wait = audio.retry_min
    while True:
        began = loop.time()
        try:
            await source(audio, hearing(bus, meter))
        except OSError as error:
            bus.problem("audio", str(error))
        meter.restart()
        if loop.time() - began > audio.retry_max:
            wait = audio.retry_min
        await asyncio.sleep(wait)
        wait = min(wait * 2, audio.retry_max)


async def source(audio: Audio, heard: Callable[[bytes], None]) -> None:
    """The configured source of samples; ends only by an OSError or when cancelled."""
    if audio.driver == "simulated":
        await hiss.rustle(heard)
    else:
        await alsa.record(audio, heard)


def hearing(bus: Bus, meter: Meter) -> Callable[[bytes], None]:
    """What takes the samples of one run; the first of them ends the problem."""

    def heard(data: bytes) -> None:
        bus.problem("audio", None)
        meter.add(data)

    return heard


async def report(bus: Bus, audio: Audio, meter: Meter) -> None:
    """Publish the level of each interval in which something was heard."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        due = max(due + audio.interval, loop.time())
        await asyncio.sleep(due - loop.time())
        if level := meter.take():
            try:
                await bus.publish(AUDIO, message(level, audio))
                bus.problem("audio level", None)
            except Refused as refusal:
                bus.problem(
                    "audio level", f"refused by the broker ({refusal}): see its access list"
                )


def message(level: Level, audio: Audio) -> AudioLevel:
    """The reading as published."""
    spl = min(max(level.rms + audio.db_offset, LOWEST_DB), HIGHEST_DB)
    return AudioLevel(
        timestamp=level.ended_at,
        interval=audio.interval,
        simulated=audio.driver == "simulated",
        level_db=round(spl, 2),
        level_dbfs=round(level.rms, 2),
        peak_dbfs=round(level.peak, 2),
    )
