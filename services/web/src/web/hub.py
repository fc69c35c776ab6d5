"""All cameras: found on the bus, leased while they are watched, and said to be missing when so."""

import asyncio
import contextlib
from time import monotonic
from typing import Any

from bus import Bus, BusError
from bus.media import MediaConnection
from bus.messages import AacLease, CameraLease, CameraStatus, Lease, WebrtcLease
from bus.topics import AAC_LEASE, CAMERA_LEASE, CAMERA_STATUS, INIT, WEBRTC_LEASE, Levels, Topic

from .channel import Channel
from .pulse import Pulse
from .readings import Readings
from .settings import Web
from .trouble import camera_trouble
from .wire import GOING_AWAY

MOST = 64
"""Cameras that are served: a flood of invented names must not fill the memory."""
TICK = 0.25
"""Seconds between two looks at the channels."""


class Hub:
    """A channel for every camera that has said something, and what each needs in time."""

    def __init__(
        self,
        bus: Bus,
        media: MediaConnection,
        readings: Readings,
        pulse: Pulse,
        settings: Web,
        *,
        remote: bool = False,
    ) -> None:
        """`remote`: pictures come from elsewhere, by relays that send only under a lease."""
        self.channels: dict[str, Channel] = {}
        self._bus = bus
        self._media = media
        self._readings = readings
        self._pulse = pulse
        self._settings = settings
        self._remote = remote
        self._leased: dict[tuple[str, str], float] = {}
        self._began = monotonic()
        self._opened = asyncio.Event()
        self._opening = 0.0
        bus.subscribe(CAMERA_STATUS, self._take_status)
        media.subscribe(INIT, self._take_init)

    def warm(self) -> None:
        """A page is about to open: have every camera's group of pictures ready."""
        self._opening = monotonic() + self._settings.warm
        self._opened.set()
        for channel in self.channels.values():
            channel.warm(self._settings.warm)

    def close(self) -> None:
        """Say goodbye to every viewer."""
        for channel in self.channels.values():
            channel.broadcast.end()
            for viewer in channel.viewers:
                viewer.ending.set((GOING_AWAY, "the station goes away"))

    async def run(self) -> None:
        """Renew leases and tell states until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                for channel in self.channels.values():
                    channel.listen()
                    if channel.wanted:
                        channel.say(self._trouble(channel))
                        self._lease(channel, group)
                self._opened.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._opened.wait(), TICK)

    def _trouble(self, channel: Channel) -> str | None:
        if monotonic() - channel.last_frame < self._settings.stall:
            return None
        trouble = camera_trouble(channel.name, self._readings, self._pulse)
        return trouble or f"camera {channel.name}: no frame for {self._settings.stall:g} s"

    def _lease(self, channel: Channel, group: asyncio.TaskGroup) -> None:
        status = self._readings.get(CAMERA_STATUS, camera=channel.name)
        if self._remote or not status or status.demand != "always":
            self._renew(CAMERA_LEASE, CameraLease, channel.name, group)
        if "aac" in channel.wanted and not self._remote:
            self._renew(AAC_LEASE, AacLease, channel.name, group)
        # WebRTC is a service of the station: a hub's would hear a camera that it does not send.
        if not self._remote and monotonic() < self._opening:
            self._renew(WEBRTC_LEASE, WebrtcLease, channel.name, group)

    def _renew(
        self,
        topic: Topic[Any],
        kind: type[Lease],
        camera: str,
        group: asyncio.TaskGroup,
    ) -> None:
        now, seconds, key = monotonic(), self._settings.lease, (topic.path, camera)
        if now - self._leased.get(key, -seconds) > seconds / 3:
            self._leased[key] = now
            lease = kind(holder=self._bus.instance, seconds=seconds)
            group.create_task(self._publish(topic, lease, camera))

    async def _publish(self, topic: Topic[Any], lease: Lease, camera: str) -> None:
        with contextlib.suppress(BusError):
            await self._bus.publish(topic, lease, camera=camera)

    def _channel(self, camera: str) -> Channel | None:
        if camera not in self.channels:
            if len(self.channels) >= MOST:
                return None
            self.channels[camera] = Channel(camera, self._media, self._settings)
        return self.channels[camera]

    def _take_status(self, _status: CameraStatus, levels: Levels) -> None:
        self._channel(levels["camera"])

    def _take_init(self, init: bytes, levels: Levels, properties: dict[str, str]) -> None:
        session = properties.get("session", "")
        if init and not session:
            self._media.drop(INIT, "a header without a session")
        elif channel := self._channel(levels["camera"]):
            channel.take_init(levels["track"], init, session)
