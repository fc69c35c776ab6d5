"""A camera to a hub's broker, while somebody there watches."""

import asyncio
from collections.abc import Callable
from time import monotonic

from bus import Bus
from bus.demand import ask_cameras
from bus.inbox import Inbox
from bus.link import Link
from bus.media import MediaConnection
from bus.messages import CameraLease
from bus.settings import SettingsError
from bus.topics import CAMERA_LEASE, FRAGMENT, INIT, Levels, pattern
from media.cmaf import CmafError, FragmentHeader

from .report import Report
from .settings import Relay, Settings

_BUFFER = 32_768
"""Bytes that the kernel may hold back, a quarter of a second at 1 Mbit/s: more is only late."""
_LOOK = 0.1
"""Seconds between two looks at whether anybody watches."""
_LONGEST = 120.0
"""Seconds of a lease at most."""


class Uplink:
    """Passes on a camera's headers always, and its fragments under a lease of the hub.

    The lease is the only thing that is heard from the hub. What the link does not take at once is
    dropped, of pictures everything up to the next key frame.
    """

    def __init__(self, bus: Bus, settings: Settings, relay: Relay, name: str) -> None:
        hub = settings.hub
        try:
            hub.secret()
        except OSError as error:
            raise SettingsError(f"hub.password_file: {error}") from None
        there = settings.model_copy(
            update={"station": hub.station, "mqtt": hub.mqtt(settings.mqtt, _BUFFER)}
        )
        client = f"{hub.station}-{bus.instance}"
        self._bus = bus
        self._relay = relay
        self._here = MediaConnection(settings, bus.instance, bus.invalid)
        self._there = MediaConnection(there, client, bus.invalid)
        inbox = Inbox(bus.invalid)
        self._leases = Link(there.mqtt, client, inbox.receive, _nothing)
        leases = pattern(CAMERA_LEASE, hub.station, {"camera": relay.camera})
        inbox.add(leases, self._take_lease)
        self._leases.subscribe(leases, CAMERA_LEASE.qos)
        self._report = Report(bus, relay, name, hub.shown)
        self._until = 0.0
        self._moved = 0.0
        self._asked: set[str] = set()
        self._stops: list[Callable[[], None]] = []
        self._tracks = ("video", "audio") if relay.sound else ("video",)
        for track in self._tracks:
            self._here.subscribe(INIT, self._take_init, camera=relay.camera, track=track)

    async def run(self) -> None:
        """Keep everything alive until cancelled."""
        async with asyncio.TaskGroup() as group:
            for part in (
                *(self._here.run(), self._there.run(), self._leases.run(), self._report.run()),
                ask_cameras(self._bus, self._asked, self._relay.lease),
                self._watch(),
            ):
                group.create_task(part)

    async def _watch(self) -> None:
        """Begin and end with the hub's lease, and say how it goes."""
        sent = 0
        while True:
            wanted = monotonic() < self._until and self._there.link.connection is not None
            if wanted and not self._stops:
                self._begin()
            elif self._stops and not wanted:
                self._end()
            moved, sent = self._report.bytes_sent > sent, self._report.bytes_sent
            self._report.dropped = self._there.dropped
            self._say(wanted, moved)
            await asyncio.sleep(_LOOK)

    def _say(self, wanted: bool, moved: bool) -> None:
        if self._there.link.connection is None:
            why = f"the hub is not reached: {self._there.link.reason}"
            self._report.say(state="backoff", error=why)
        elif not wanted:
            self._report.say(state="stopped", error=None)
        elif moved:
            self._moved = monotonic()
            self._report.say(state="streaming", error=None)
        elif monotonic() - self._moved > self._relay.camera_timeout:
            why = f"camera {self._relay.camera} gives no picture"
            self._report.say(state="starting", error=why)

    def _begin(self) -> None:
        camera = self._relay.camera
        self._moved = monotonic()
        self._report.say(state="starting", error=None)
        self._asked.add(camera)
        self._stops = [
            self._here.subscribe(FRAGMENT, self._take_fragment, camera=camera, track=track)
            for track in self._tracks
        ]

    def _end(self) -> None:
        self._asked.clear()
        while self._stops:
            self._stops.pop()()

    def _take_lease(self, lease: CameraLease, _levels: Levels) -> None:
        self._until = max(self._until, monotonic() + min(lease.seconds, _LONGEST))

    def _take_init(self, payload: bytes, levels: Levels, properties: dict[str, str]) -> None:
        camera, track = levels["camera"], levels["track"]
        if not payload:
            self._there.clear_init(camera, track)
            return
        width, height = (properties.get(name, "") for name in ("width", "height"))
        self._there.publish_init(
            camera,
            track,
            payload,
            session=properties.get("session", ""),
            codecs=properties.get("codecs", ""),
            width=int(width) if width.isdecimal() else None,
            height=int(height) if height.isdecimal() else None,
        )

    def _take_fragment(self, payload: bytes, levels: Levels, _properties: dict[str, str]) -> None:
        try:
            header = FragmentHeader.parse(payload)
        except CmafError as error:
            self._here.drop(FRAGMENT, str(error))
            return
        camera, track, session = (levels[name] for name in ("camera", "track", "session"))
        if self._there.publish_fragment(camera, track, session, payload, header.key):
            self._report.bytes_sent += len(payload)


async def _nothing() -> None:
    """The connection for leases has nothing to say."""
