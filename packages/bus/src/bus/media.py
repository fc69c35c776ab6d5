"""The bus for `media/#`: a connection of its own, so that video never delays a command."""

import asyncio
import contextlib
import copy
import logging
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from paho.mqtt.client import MQTTMessage

from . import topics
from .connection import user_properties
from .errors import BusError, Nobody
from .link import Link, within
from .settings import Settings
from .topics import Levels, MediaTopic

log = logging.getLogger(__name__)

MAX_PAYLOAD = 4 * 1024 * 1024
"""Bytes; the largest key frame is far below, and Mosquitto is configured to the same."""
SEND_BUFFER = 262_144
"""Bytes that the kernel may hold back: more would only be late."""
STUCK = 1.0
"""Seconds without progress after which a connection is given up."""
GUARD = 1.0
"""Seconds after which a header that somebody else has replaced is put back, at the soonest."""

Properties = dict[str, str]
Handler = Callable[[bytes, Levels, Properties], None]


class Sent(NamedTuple):
    """A retained init segment, to be sent again after a reconnect."""

    payload: bytes
    properties: Properties


class MediaConnection:
    """Publishes without ever waiting for the broker, and hears the media topics."""

    def __init__(
        self, settings: Settings, instance: str, invalid: Counter[str] | None = None
    ) -> None:
        self.dropped = 0
        """Fragments that a slow or absent broker did not get."""
        self.invalid: Counter[str] = Counter() if invalid is None else invalid
        """Messages that were dropped, by the path of their topic; `Bus.invalid` in a service, whose
        status says how many."""
        self._station = settings.station
        self._mqtt = settings.mqtt
        self._inits: dict[str, Sent] = {}
        self._replaced: set[str] = set()
        self._cleared: set[str] = set()
        self._skipping: set[str] = set()
        self._handlers: dict[str, tuple[MediaTopic, list[Handler]]] = {}
        mqtt = settings.mqtt.model_copy(
            update={"send_buffer": settings.mqtt.send_buffer or SEND_BUFFER}
        )
        self.link = Link(mqtt, f"{instance}-media", self._receive, self._announce)

    def at(self, station: str) -> "MediaConnection":
        """The same connection, publishing and hearing below the root of a station: for a hub."""
        there = copy.copy(self)
        there._station = station
        return there

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.link.run())
            group.create_task(self._watch_progress())
            group.create_task(self._guard_inits())

    def publish_init(
        self,
        camera: str,
        track: str,
        payload: bytes,
        *,
        session: str,
        codecs: str,
        width: int | None = None,
        height: int | None = None,
    ) -> None:
        """Publish the retained CMAF header of a track; it is sent again after each reconnect.

        It is heard too: without it whoever joins can show nothing, so nobody else's may stay.
        """
        properties = {"session": session, "codecs": codecs}
        if width and height:
            properties |= {"width": str(width), "height": str(height)}
        name = topics.address(topics.INIT, self._station, camera=camera, track=track)
        is_new = name not in self._inits
        self._cleared.discard(name)
        self._inits[name] = Sent(payload, properties)
        self._publish(name, payload, 1, True, properties)
        if is_new:
            self.link.subscribe(name, topics.INIT.qos)

    def clear_init(self, camera: str, track: str) -> None:
        """Take a track's header back, now and after each reconnect: there is no such track."""
        name = topics.address(topics.INIT, self._station, camera=camera, track=track)
        if self._inits.pop(name, None):
            self.link.unsubscribe(name)
        self._cleared.add(name)
        self._publish(name, b"", 1, True)

    def publish_fragment(
        self, camera: str, track: str, session: str, payload: bytes, key: bool
    ) -> bool:
        """Publish one fragment now or never; after a loss nothing goes until the next key."""
        name = topics.address(
            topics.FRAGMENT, self._station, camera=camera, track=track, session=session
        )
        if (key or name not in self._skipping) and self._publish(name, payload, 0, False):
            self._skipping.discard(name)
            return True
        self._skipping.add(name)
        self.dropped += 1
        return False

    def publish_jpeg(self, camera: str, payload: bytes, capture: float | None = None) -> bool:
        """Publish one JPEG now or never; `capture`: Unix time of the picture (s), if known."""
        properties = None if capture is None else {"capture": f"{capture:.6f}"}
        name = topics.address(topics.JPEG, self._station, camera=camera)
        return self._publish(name, payload, 0, False, properties)

    def subscribe(self, topic: MediaTopic, handler: Handler, **levels: str) -> Callable[[], None]:
        """Hear a media topic; levels that are not given are `+`. Returns the way to stop."""
        name = topics.pattern(topic, self._station, levels)
        self._handlers.setdefault(name, (topic, []))[1].append(handler)
        self.link.subscribe(name, topic.qos)

        def unsubscribe() -> None:
            handlers = self._handlers[name][1]
            handlers.remove(handler)
            if not handlers:
                del self._handlers[name]
            self.link.unsubscribe(name)

        return unsubscribe

    def _publish(
        self,
        name: str,
        payload: bytes,
        qos: int,
        retain: bool,
        properties: Properties | None = None,
    ) -> bool:
        connection = self.link.connection
        if connection is None or (qos == 0 and connection.congested):
            return False
        try:
            connection.publish(
                name, payload, qos, retain, user_properties(properties) if properties else None
            )
        except BusError as error:
            log.debug("not published: %s", error)
            return False
        return True

    async def _announce(self) -> None:
        connection = self.link.connection
        gone = dict.fromkeys(self._cleared, Sent(b"", {}))
        for name, (payload, properties) in (gone | self._inits).items():
            if connection and (
                sent := connection.publish(name, payload, 1, True, user_properties(properties))
            ):
                with contextlib.suppress(Nobody):
                    await within(self._mqtt.timeout, sent)

    async def _watch_progress(self) -> None:
        blocked = 0.0
        while True:
            await asyncio.sleep(STUCK / 4)
            connection = self.link.connection
            blocked = blocked + STUCK / 4 if connection and connection.congested else 0.0
            if connection and blocked >= STUCK:
                connection.abort(f"the broker took nothing for {STUCK:g} s")
                blocked = 0.0

    async def _guard_inits(self) -> None:
        while True:
            await asyncio.sleep(GUARD)
            for name in self._replaced & self._inits.keys():
                payload, properties = self._inits[name]
                self._publish(name, payload, 1, True, properties)
            self._replaced.clear()

    def _receive(self, message: MQTTMessage) -> None:
        own = self._inits.get(message.topic)
        if own and message.payload != own.payload:
            self._replaced.add(message.topic)
            self.drop(topics.INIT, "this camera's header is another one")
        _, rest = topics.split_root(message.topic)
        parts = rest.split("/")
        for name, (topic, handlers) in list(self._handlers.items()):
            levels = topics.match(topic.path, parts)
            if levels is None or not topics.fits(name, message.topic):
                continue
            if len(message.payload) > MAX_PAYLOAD or (message.retain and not topic.retain):
                self.drop(topic, "too large, or retained where nothing is")
                return
            properties = dict(getattr(message.properties, "UserProperty", []))
            for handler in list(handlers):
                handler(bytes(message.payload), levels, properties)

    def drop(self, topic: MediaTopic, why: str) -> None:
        """Count a message that is not what its topic declares; the first is logged."""
        self.invalid[topic.path] += 1
        if self.invalid[topic.path] == 1:
            log.warning("dropped a message on %s: %s (further ones are counted)", topic.path, why)
