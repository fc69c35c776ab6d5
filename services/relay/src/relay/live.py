"""One relay: waits for its camera, pushes, and tries again with growing pauses."""

import asyncio
import contextlib
import logging
from time import monotonic

from bus import Bus, BusError, Settings
from bus.media import MediaConnection
from bus.messages import CameraLease
from bus.topics import CAMERA_LEASE

from .address import Address
from .feed import Feed
from .libav import LibavPush
from .report import Report
from .settings import Relay
from .target import Headers, Push, TargetError

log = logging.getLogger(__name__)

_LOOK = 0.1
"""Seconds between two looks at what the target has accepted."""


class CameraChange(Exception):
    """The camera stopped, or became another one: nothing that the target is to blame for."""


class Live:
    """Pushes one camera to one target until cancelled."""

    def __init__(self, bus: Bus, settings: Settings, relay: Relay, name: str) -> None:
        self._bus = bus
        self._relay = relay
        self._media = MediaConnection(settings, bus.instance, bus.invalid)
        self._feed = Feed(self._media, relay.camera, sound=relay.sound, behind=relay.behind)
        # The secrets are not in it, so that a missing file does not matter here.
        bare = relay.model_copy(
            update={"password_file": None, "stream_key_file": None, "token_file": None}
        )
        self._report = Report(bus, relay, name, Address(bare).shown)

    async def run(self) -> None:
        """Keep everything alive."""
        async with asyncio.TaskGroup() as group:
            for part in (self._media.run(), self._report.run(), self._ask(), self._push()):
                group.create_task(part)

    async def _ask(self) -> None:
        """Keep the camera going, if it encodes only while somebody wants it."""
        relay = self._relay
        while True:
            with contextlib.suppress(BusError):
                lease = CameraLease(holder=self._bus.instance, seconds=relay.lease)
                await self._bus.publish(CAMERA_LEASE, lease, camera=relay.camera)
            await asyncio.sleep(relay.lease / 3)

    async def _push(self) -> None:
        relay = self._relay
        pause = relay.backoff_min
        while True:
            began = monotonic()
            try:
                await self._attempt()
            except CameraChange as change:
                log.info("%s", change)
                self._report.say(state="starting", error=str(change))
            except TargetError as error:
                if monotonic() - began >= relay.good_run:
                    pause = relay.backoff_min
                log.warning("%s; again in %g s", error, pause)
                self._report.say(state="backoff", error=str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, relay.backoff_max)
            self._report.restarted()

    async def _attempt(self) -> None:
        with self._feed.listening():
            headers = await self._camera()
            address = Address(self._relay)
            push = await choose(address, headers, self._relay)
            try:
                async with asyncio.timeout(self._relay.connect_timeout):
                    await push.open()
            except TimeoutError:
                limit = self._relay.connect_timeout
                raise TargetError(f"the target took no media within {limit:g} s") from None
            except TargetError:
                raise
            else:
                await self._stream(push, headers)
            finally:
                self._feed.sink = None
                await push.close()

    async def _camera(self) -> Headers:
        """Wait for a picture; say so when that takes long."""
        relay = self._relay
        wait = asyncio.ensure_future(self._feed.picture())
        try:
            done, _ = await asyncio.wait((wait,), timeout=relay.camera_timeout)
            if not done:
                text = f"camera {relay.camera} gives no picture"
                self._report.say(state="starting", error=text)
                await wait
        finally:
            wait.cancel()
        if headers := self._feed.headers:
            return headers
        raise CameraChange(f"camera {relay.camera} has stopped")

    async def _stream(self, push: Push, headers: Headers) -> None:
        self._feed.sink = push.send
        ended = asyncio.ensure_future(push.ended())
        watch = _Watch(push, self._report, self._relay)
        try:
            while not ended.done():
                await asyncio.wait((ended,), timeout=_LOOK)
                watch.look()
                self._check_camera(headers)
            await ended
        finally:
            ended.cancel()

    def _check_camera(self, headers: Headers) -> None:
        camera, limit = self._relay.camera, self._relay.camera_timeout
        if self._feed.headers != headers:
            raise CameraChange(f"camera {camera} has other tracks now")
        if monotonic() - self._feed.last_picture > limit:
            raise CameraChange(f"no picture from camera {camera} for {limit:g} s")


class _Watch:
    """Judges a connection by what the target accepts."""

    def __init__(self, push: Push, report: Report, relay: Relay) -> None:
        self._push = push
        self._report = report
        self._limit = relay.stall_timeout
        self._accepted = push.accepted
        self._dropped = push.dropped
        self._since = monotonic()

    def look(self) -> None:
        """Count what was accepted; TargetError when that was nothing for too long."""
        accepted, dropped = self._push.accepted, self._push.dropped
        self._report.dropped += dropped - self._dropped
        self._dropped = dropped
        if accepted > self._accepted:
            self._report.bytes_sent += accepted - self._accepted
            self._accepted, self._since = accepted, monotonic()
            self._report.say(state="streaming", error=None)
        elif monotonic() - self._since > self._limit:
            raise TargetError(f"the target accepted nothing for {self._limit:g} s")


async def choose(address: Address, headers: Headers, relay: Relay) -> Push:
    """The way to push that the address asks for."""
    if address.scheme.startswith("rt"):
        return LibavPush(address, headers, relay)
    # aiortc is 20 MB that RTSP and RTMP never need.
    from .whip import WhipPush

    return WhipPush(address, headers, relay)
