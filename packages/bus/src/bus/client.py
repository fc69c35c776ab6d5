"""The bus as a service sees it: typed topics over a connection that comes back by itself."""

import asyncio
import contextlib
import copy
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from paho.mqtt.client import MQTTMessage

from . import topics, wall_clock
from .calls import Calls
from .connection import Will
from .errors import BusError, Nobody, Refused
from .health import Health
from .inbox import Inbox
from .link import Link
from .messages import Echo, ServiceState, ServiceStatus, Timed
from .repeat import repeat
from .settings import Settings
from .topics import A, Levels, M, Q, Request, Topic

log = logging.getLogger(__name__)


class Bus:
    """Publishes and hears typed messages; outlives the broker.

    Handlers are plain functions called on the event loop in order of arrival. A payload that does
    not validate, and a retained event, is logged once a topic, counted in `invalid`, and dropped.
    """

    def __init__(self, settings: Settings, instance: str, version: str) -> None:
        self.instance = instance
        self.problems: dict[str, str] = {}
        self.started_at = wall_clock.now()
        self._version = version
        self._interval = settings.mqtt.status_interval
        self._station = settings.station
        self._latest: dict[str, tuple[Topic[Any], bytes]] = {}
        self._status_changed = asyncio.Event()
        self._inbox = Inbox()
        self._status_name = topics.address(topics.SERVICE_STATUS, self._station, instance=instance)
        lost = Will(self._status_name, self._status("lost"))
        self.link = Link(settings.mqtt, instance, self._receive, self._announce, lost)
        self._health = Health(settings.mqtt.health_file)
        self._calls = Calls(self.link, self._inbox, self._station, instance)

    def at(self, station: str) -> "Bus":
        """The same connection, publishing and hearing below the root of a station: for a hub.

        Requests, and what the service says of itself, stay where they are.
        """
        there = copy.copy(self)
        there._station = station
        return there

    @property
    def connected(self) -> bool:
        """Whether there is a connection to the broker at this moment."""
        connection = self.link.connection
        return connection is not None and not connection.closed.done()

    async def disconnected(self) -> None:
        """Wait until there is no connection to the broker."""
        if connection := self.link.connection:
            await asyncio.wait((connection.closed,))

    @property
    def invalid(self) -> Counter[str]:
        """Messages that were dropped, by the path of their topic."""
        return self._inbox.invalid

    def problem(self, part: str, text: str | None) -> None:
        """Say what a part of this service misses, or with None that it is well again."""
        if self.problems.get(part) == text:
            return
        if text is None:
            log.info("%s: works again", part)
            del self.problems[part]
        else:
            log.warning("%s: %s", part, text)
            self.problems[part] = text
        self._status_changed.set()

    async def publish(self, topic: Topic[M], message: M, **levels: str) -> None:
        """Publish and wait for the broker's PUBACK.

        A retained message is kept while the broker is away, and the newest is sent when it is
        back. An event raises BusError then, Nobody when no subscriber took it; every message
        raises Refused when the broker refuses it.
        """
        name = topics.address(topic, self._station, **levels)
        if isinstance(message, Timed) and (mark := wall_clock.mark(message)):
            message = message.model_copy(update={"boot_time": mark})
        payload = message.model_dump_json().encode()
        if topic.retain:
            self._latest[name] = topic, payload
        try:
            await self._send(topic, name, payload)
        except Refused:
            raise
        except BusError:
            if not topic.retain:
                raise

    def subscribe(
        self, topic: Topic[M], handler: Callable[[M, Levels], None], **levels: str
    ) -> Callable[[], None]:
        """Hear a topic; levels that are not given are `+`. Returns the way to stop hearing it."""
        pattern = topics.pattern(topic, self._station, levels)
        self._inbox.add(pattern, handler)
        self.link.subscribe(pattern, topic.qos)

        def unsubscribe() -> None:
            self._inbox.remove(pattern, handler)
            self.link.unsubscribe(pattern)

        return unsubscribe

    def on_drop(self, topic: Topic[Any], handler: Callable[[bytes, str], None]) -> None:
        """Hear of the topic's messages that were dropped: the payload, and why."""
        self._inbox.on_drop[topic.path] = handler

    async def request(self, request: Request[Q, A], query: Q, seconds: float = 5) -> A:
        """Ask and wait for the answer; BusError says why there is none, Nobody that none can be."""
        return await self._calls.ask(request, query, seconds)

    def respond(self, request: Request[Q, A], handler: Callable[[Q], Awaitable[A]]) -> None:
        """Answer a request; the handler raises Refusal to say no."""
        self._calls.answer(request, handler)

    async def echo(self) -> float:
        """One round trip to the broker, in seconds; BusError when it does not answer in time."""
        began = time.monotonic()
        message = Echo(timestamp=wall_clock.now())
        with contextlib.suppress(Nobody):
            await self.publish(topics.SERVICE_ECHO, message, instance=self.instance)
        return time.monotonic() - began

    async def run(self) -> None:
        """Keep the connection and the status message alive until cancelled; then say `offline`."""
        parts = [asyncio.create_task(part) for part in (self.link.run(), self._keep_status())]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            # Neither ends by itself: a service without its bus must not look alive.
            for part in done:
                await part
        finally:
            with contextlib.suppress(BusError):
                await self._send_status("offline")
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)

    async def _keep_status(self) -> None:
        async def say() -> None:
            with contextlib.suppress(BusError):
                await self._send_status("online")

        await repeat(say, self._status_changed, self._interval)

    async def _announce(self) -> None:
        await self._send_status("online")
        for name in list(self._latest):
            # Looked up at this moment: while one is waited for, a newer one may have been sent.
            topic, payload = self._latest[name]
            try:
                with contextlib.suppress(Nobody):
                    await self.link.send(name, payload, topic.qos, topic.retain)
            except Refused as error:
                log.error("%s: %s", name, error)

    async def _send_status(self, state: ServiceState) -> None:
        with contextlib.suppress(Nobody, Refused):
            await self._send(topics.SERVICE_STATUS, self._status_name, self._status(state))

    async def _send(self, topic: Topic[Any], name: str, payload: bytes) -> None:
        try:
            await self.link.send(name, payload, topic.qos, topic.retain)
        except Nobody:
            self._health.confirmed(topic, payload)
            raise
        self._health.confirmed(topic, payload)

    def _status(self, state: ServiceState) -> bytes:
        status = ServiceStatus(
            state=state,
            version=self._version,
            started_at=self.started_at,
            timestamp=wall_clock.now(),
            boot_time=wall_clock.CLOCK.announcement(),
            invalid_messages=self.invalid.total(),
            problems=dict(self.problems) if state == "online" else {},
        )
        return status.model_dump_json().encode()

    def _receive(self, message: MQTTMessage) -> None:
        if not self._calls.receive(message):
            self._inbox.receive(message)
