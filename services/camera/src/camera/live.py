"""One camera as a whole: its pictures, its sound, its status, each going on without the others."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from bus import Bus
from bus.media import MediaConnection
from media.h264 import Sps

from . import drivers
from .demand import Demand
from .outlet import Outlet
from .report import Report
from .settings import Settings
from .sound import Microphone
from .source import AccessUnit, Driver, SourceError
from .supervisor import Watch, supervise
from .track import SoundTrack, VideoTrack

_SEARCH = 60.0
"""Seconds for the search for a driver, whose probes are patient for half of that together."""


class Live:
    """Wires the parts of one camera together."""

    def __init__(self, bus: Bus, settings: Settings, name: str) -> None:
        self._bus = bus
        self._name = name
        self._camera = settings.camera[name]
        self._runtime_dir = settings.runtime_dir
        self._media = MediaConnection(settings, bus.instance, bus.invalid)
        self._report = Report(bus, self._media, self._camera, name)
        self._outlet = Outlet(bus, self._media)
        self._demand = Demand(bus, name)
        self._video = VideoTrack(self._media, name, self._shape)
        self._sound = SoundTrack(self._media, name)
        self._choice = drivers.Choice(self._camera, self._runtime_dir, name)
        self._report.warn("controls", self._camera.unused_controls)

    async def run(self) -> None:
        """Everything, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._media.run())
            group.create_task(self._report.run())
            group.create_task(self._outlet.run())
            group.create_task(supervise(self._camera, self._pictures, "frame", self._failed))
            if self._camera.audio == "off":
                self._sound.withdraw()
            else:
                group.create_task(supervise(self._camera, self._listen, "sound", self._mute))

    def _shape(self, about: Sps) -> None:
        self._report.say(video_codec=about.codec, width=about.width, height=about.height)

    async def _pictures(self, watch: Watch) -> None:
        """One attempt at the pictures."""
        driver = await self._search(watch)
        self._tell(driver)
        if not self._demand.wanted:
            await driver.ready()
            self._report.say(state="stopped", error=None)
            self._bus.problem("video", None)
            await self._rest(watch)
        self._report.say(state="starting")
        self._report.meter.begin()
        self._video.begin(self._camera.fps)
        await self._while_wanted(driver.run(Delivery(self, driver, watch)))

    async def _search(self, watch: Watch) -> Driver:
        """The driver; a probe that hangs costs the first frame none of its time."""
        watch.rest()
        try:
            async with asyncio.timeout(_SEARCH):
                return await self._choice.driver()
        except TimeoutError:
            raise SourceError("the search for a camera does not end") from None
        finally:
            watch.wake()

    async def _rest(self, watch: Watch) -> None:
        watch.rest()
        await self._demand.begins()
        watch.wake()

    async def _while_wanted(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` until it fails or nobody wants it any more."""
        tasks = (asyncio.ensure_future(work), asyncio.ensure_future(self._demand.ends()))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        if not tasks[0].cancelled() and (error := tasks[0].exception()):
            raise error

    def _tell(self, driver: Driver) -> None:
        costly = driver.encoding == "software" and not driver.simulated
        mode = self._camera.demand or ("on_demand" if costly else "always")
        self._demand.mode = mode
        self._report.say(
            driver=driver.name,
            encoding=driver.encoding,
            clock=driver.clock,
            simulated=driver.simulated,
            demand=mode,
        )
        self._report.warn("video", driver.warning)
        self._report.warn("driver", self._choice.warning)

    def delivered(self, driver: Driver, unit: AccessUnit) -> bool:
        """Publish a picture of the driver; whether it could be shown."""
        size = self._video.take(unit)
        if size:
            self._report.meter.frame(unit.capture, size, unit.key)
            self._choice.delivered()
            self._tell(driver)
            self._report.say(state="streaming", error=None)
            self._bus.problem("video", None)
        return size > 0

    def _failed(self, error: str) -> None:
        self._choice.ended(error)
        self._report.restarted()
        self._report.say(state="backoff", error=error[:500])
        self._bus.problem("video", error)

    async def _listen(self, watch: Watch) -> None:
        """One attempt at the sound, which never touches the pictures."""
        if not self._demand.wanted:
            await self._rest(watch)
        microphone = Microphone(self._camera, self._sound.begin)

        def take(packet: bytes, capture: float) -> None:
            watch.delivered()
            self._sound.take(packet, capture)
            self._report.meter.sound(len(packet))
            self._report.say(audio_codec="opus")
            self._report.warn("audio", None)
            self._bus.problem("audio", None)

        await self._while_wanted(microphone.run(take))

    def _mute(self, error: str) -> None:
        self._report.say(audio_codec=None)
        self._report.warn("audio", f"no sound: {error}")
        self._bus.problem("audio", error)


class Delivery:
    """The sink of one attempt at the pictures."""

    def __init__(self, live: Live, driver: Driver, watch: Watch) -> None:
        self._live = live
        self._driver = driver
        self._watch = watch

    def unit(self, unit: AccessUnit) -> None:
        """See source.Sink."""
        if self._live.delivered(self._driver, unit):
            self._watch.delivered()
        else:
            self._watch.alive()

    def alive(self) -> None:
        """See source.Sink."""
        self._watch.alive()
