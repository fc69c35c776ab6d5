"""The newest JPEG of each camera, asked for with a lease only while somebody wants it."""

import asyncio
import contextlib
import math
from collections.abc import AsyncGenerator, Callable
from time import monotonic
from typing import Any, NamedTuple

from bus import Bus, BusError
from bus.media import MediaConnection
from bus.messages import JpegLease
from bus.topics import JPEG, JPEG_LEASE, Levels

from .pulse import Pulse
from .readings import Readings
from .settings import Web
from .trouble import camera_trouble, service_trouble

START_OF_IMAGE = b"\xff\xd8"


class NoPicture(Exception):
    """There is no picture; the text says why."""


class Picture(NamedTuple):
    """A JPEG and the Unix time of its capture, where its maker says it."""

    jpeg: bytes
    capture: float | None


class Strip:
    """The JPEGs of one camera: only the newest is kept, and whoever is slow misses some."""

    def __init__(self) -> None:
        self.watchers = 0
        self.leased = float("-inf")
        self.stop: Callable[[], None] = lambda: None
        self._next: asyncio.Future[Picture] = asyncio.get_running_loop().create_future()

    def put(self, picture: Picture) -> None:
        """A picture has come; everybody who waits gets it."""
        future, self._next = self._next, asyncio.get_running_loop().create_future()
        future.set_result(picture)

    def end(self) -> None:
        """No more pictures will come; whoever waits is told so."""
        if not self._next.done():
            self._next.set_exception(NoPicture("the station goes away"))
            self._next.exception()  # nobody may be waiting

    async def next(self, wait: float, over: "asyncio.Future[None] | None" = None) -> Picture:
        """The next picture; TimeoutError when none comes in time, NoPicture when it is over."""
        coming = self._next
        waited: set[asyncio.Future[Any]] = {coming, over} if over else {coming}
        done, _ = await asyncio.wait(waited, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
        if over in done:
            raise NoPicture("the stream has been ended")
        if coming not in done:
            raise TimeoutError
        return coming.result()


class Jpegs:
    """A strip for every camera that somebody looks at."""

    def __init__(
        self, bus: Bus, media: MediaConnection, readings: Readings, pulse: Pulse, settings: Web
    ) -> None:
        self.strips: dict[str, Strip] = {}
        self._bus = bus
        self._media = media
        self._readings = readings
        self._pulse = pulse
        self._settings = settings
        self._changed = asyncio.Event()

    @property
    def viewers(self) -> int:
        """Requests that are being answered with pictures at this moment."""
        return sum(strip.watchers for strip in self.strips.values())

    async def pictures(
        self, camera: str, over: "asyncio.Future[None] | None" = None
    ) -> AsyncGenerator[Picture, None]:
        """Fresh pictures as they come; raises NoPicture when none does in time, or at `over`."""
        strip = self._watch(camera)
        try:
            while True:
                yield await strip.next(self._settings.jpeg_wait, over)
        except TimeoutError:
            raise NoPicture(self._why(camera)) from None
        finally:
            self._leave(camera, strip)

    async def run(self) -> None:
        """Renew the leases until cancelled."""
        while True:
            self._changed.clear()
            for camera, strip in list(self.strips.items()):
                if monotonic() - strip.leased > self._settings.lease / 3:
                    strip.leased = monotonic()
                    await self._lease(camera)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.lease / 6):
                    await self._changed.wait()

    def close(self) -> None:
        """End every stream."""
        for strip in self.strips.values():
            strip.end()

    async def _lease(self, camera: str) -> None:
        lease = JpegLease(
            holder=self._bus.instance, fps=self._settings.jpeg_fps, seconds=self._settings.lease
        )
        with contextlib.suppress(BusError):
            await self._bus.publish(JPEG_LEASE, lease, camera=camera)

    def _watch(self, camera: str) -> Strip:
        strip = self.strips.get(camera)
        if strip is None:
            strip = self.strips[camera] = Strip()
            strip.stop = self._media.subscribe(JPEG, self._receive, camera=camera)
        strip.watchers += 1
        self._changed.set()
        return strip

    def _leave(self, camera: str, strip: Strip) -> None:
        strip.watchers -= 1
        if not strip.watchers:
            strip.stop()
            del self.strips[camera]

    def _receive(self, jpeg: bytes, levels: Levels, properties: dict[str, str]) -> None:
        if not jpeg.startswith(START_OF_IMAGE):
            self._media.drop(JPEG, "that is no JPEG")
        elif strip := self.strips.get(levels["camera"]):
            strip.put(Picture(jpeg, unix_time(properties.get("capture", ""))))

    def _why(self, camera: str) -> str:
        return (
            camera_trouble(camera, self._readings, self._pulse)
            or service_trouble("stills", self._readings)
            or f"camera {camera}: no picture within {self._settings.jpeg_wait:g} s"
        )


def unix_time(text: str) -> float | None:
    """The time that somebody wrote on a picture; None when it is none."""
    try:
        moment = float(text)
    except ValueError:
        return None
    return moment if 0 < moment < math.inf else None
