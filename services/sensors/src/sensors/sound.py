"""The loudness around the station: one source of samples, a meter, and a reading an interval."""

import asyncio
from collections.abc import Callable

from bus import Bus, Levels, Refused
from bus.messages import AudioLevel, CameraStatus
from bus.topics import AUDIO, CAMERA_STATUS

from . import alsa, hiss
from .level import Level, Meter
from .settings import Audio, Settings

LOWEST_DB, HIGHEST_DB = -100, 200


async def watch(bus: Bus, settings: Settings) -> None:
    """Listen and publish until cancelled; a slow broker never stops the listening."""
    audio = settings.sensors.audio
    meter = Meter(simulated=audio.driver == "simulated")
    if audio.driver == "camera":

        def seen(status: CameraStatus, _levels: Levels) -> None:
            meter.simulated = status.simulated

        bus.subscribe(CAMERA_STATUS, seen, camera=audio.camera)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(listen(bus, settings, meter))
        tasks.create_task(report(bus, audio, meter))


async def listen(bus: Bus, settings: Settings, meter: Meter) -> None:
    """Keep a source of samples running; pauses double while it fails."""
    audio = settings.sensors.audio
    loop = asyncio.get_running_loop()
    wait = audio.retry_min
    while True:
        began = loop.time()
        try:
            await source(bus, settings, hearing(bus, meter))
        except OSError as error:
            bus.problem("audio", str(error))
        meter.restart()
        if loop.time() - began > audio.retry_max:
            wait = audio.retry_min
        await asyncio.sleep(wait)
        wait = min(wait * 2, audio.retry_max)


async def source(bus: Bus, settings: Settings, heard: Callable[[bytes], None]) -> None:
    """The configured source of samples; ends only by an OSError or when cancelled."""
    audio = settings.sensors.audio
    if audio.driver == "simulated":
        await hiss.rustle(heard)
    elif audio.driver == "camera":
        # PyAV is 30 MB of libraries that other sources never need.
        from . import track

        await track.hear(bus, settings, audio, heard)
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
                await bus.publish(AUDIO, message(level, audio, meter.simulated))
                bus.problem("audio level", None)
            except Refused as refusal:
                bus.problem(
                    "audio level", f"refused by the broker ({refusal}): see its access list"
                )


def message(level: Level, audio: Audio, simulated: bool) -> AudioLevel:
    """The reading as published."""
    spl = min(max(level.rms + audio.db_offset, LOWEST_DB), HIGHEST_DB)
    return AudioLevel(
        timestamp=level.ended_at,
        interval=audio.interval,
        simulated=simulated,
        level_db=round(spl, 2),
        level_dbfs=round(level.rms, 2),
        peak_dbfs=round(level.peak, 2),
    )
