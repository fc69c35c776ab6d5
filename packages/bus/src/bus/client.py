"""The bus as a service sees it: typed topics over a connection that comes back by itself."""

import asyncio
import contextlib
import json
import logging
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from paho.mqtt.client import MQTTMessage
from paho.mqtt.properties import Properties
from pydantic import ValidationError

from . import topics
from .connection import BusError, Nobody, Refused, Will, publish_properties
from .link import Link
from .messages import Echo, Message, ServiceState, ServiceStatus
from .settings import Settings
from .topics import A, Levels, M, Q, Request, Topic

__all__ = ["Bus", "BusError", "Nobody", "Refusal", "Refused"]

log = logging.getLogger(__name__)

MAX_PAYLOAD = 262_144
"""Bytes of JSON beyond which a message is dropped unread."""

Handler = Callable[[Any, Levels], None]
Answerer = Callable[[Any], Awaitable[Message]]


class Refusal(Exception):
    """Raised by an answering service: the request is answered with this reason."""


class Bus:
    """Publishes and hears typed messages; outlives the broker.

    Handlers are plain functions called on the event loop in order of arrival. A payload that does
    not validate, and a retained event, is logged once a topic, counted in `invalid`, and dropped.
    """

    def __init__(self, settings: Settings, instance: str, version: str) -> None:
        self.instance = instance
        self.invalid: Counter[str] = Counter()
        self.problems: dict[str, str] = {}
        self.started_at = time.time()
        self._version = version
        self._settings = settings
        self._station = settings.station
        self._handlers: dict[str, list[tuple[Topic[Any], Handler]]] = {}
        self._answerers: dict[str, tuple[Request[Any, Any], Answerer]] = {}
        self._replies: dict[str, asyncio.Future[bytes]] = {}
        self._latest: dict[str, tuple[Topic[Any], bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._status_changed = asyncio.Event()
        lost = Will(self._address(topics.SERVICE_STATUS), self._status("lost"))
        self.link = Link(settings.mqtt, instance, self._receive, self._announce, lost)

    @property
    def connected(self) -> bool:
        """Whether there is a connection to the broker at this moment."""
        return self.link.connection is not None

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
        payload = message.model_dump_json(exclude_none=False).encode()
        if topic.retain:
            self._latest[name] = topic, payload
        try:
            await self._send(name, payload, topic.qos, topic.retain)
        except (Refused, Nobody) as error:
            if isinstance(error, Nobody) and topic.retain:
                return
            raise
        except BusError:
            if not topic.retain:
                raise

    def subscribe(
        self, topic: Topic[M], handler: Callable[[M, Levels], None], **levels: str
    ) -> Callable[[], None]:
        """Hear a topic; levels that are not given are `+`. Returns the way to stop hearing it."""
        name = self._filter(topic, levels)
        entry: tuple[Topic[Any], Handler] = (topic, handler)
        self._handlers.setdefault(name, []).append(entry)
        self.link.subscribe(name, topic.qos)

        def unsubscribe() -> None:
            self._handlers[name].remove(entry)
            if not self._handlers[name]:
                del self._handlers[name]
                self.link.unsubscribe(name)

        return unsubscribe

    async def request(self, request: Request[Q, A], query: Q, timeout: float = 5) -> A:  # noqa: ASYNC109 (the bus has one deadline for asking and answering)
        """Ask and wait for the answer; BusError says why there is none, Nobody that none can be."""
        reply = topics.REPLY.format(instance=self.instance)
        self.link.subscribe(self._rooted(reply), 1)
        properties = publish_properties()
        properties.ResponseTopic = self._rooted(reply)
        properties.CorrelationData = (key := secrets.token_hex(8)).encode()
        future = self._replies[key] = asyncio.get_running_loop().create_future()
        name = topics.address(request, self._station)
        try:
            async with asyncio.timeout(timeout):
                await self.link.ready()
                await self._send(name, query.model_dump_json().encode(), 1, False, properties)
                return answer(request, await future)
        except TimeoutError:
            raise BusError(f"no answer on {name} within {timeout:g} s") from None
        finally:
            del self._replies[key]

    def respond(self, request: Request[Q, A], handler: Callable[[Q], Awaitable[A]]) -> None:
        """Answer a request; the handler raises Refusal to say no."""
        name = topics.address(request, self._station)
        self._answerers[name] = request, handler
        self.link.subscribe(name, 1)

    async def echo(self) -> float:
        """One round trip to the broker, in seconds; BusError when it does not answer in time."""
        began = time.monotonic()
        message = Echo(timestamp=time.time())
        with contextlib.suppress(Nobody):
            await self.publish(topics.SERVICE_ECHO, message, instance=self.instance)
        return time.monotonic() - began

    async def run(self) -> None:
        """Keep the connection and the status message alive until cancelled; then say `offline`."""
        link = asyncio.create_task(self.link.run())
        try:
            await self._keep_status()
        finally:
            with contextlib.suppress(BusError):
                await self._send_status("offline")
            link.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await link

    async def _keep_status(self) -> None:
        while True:
            self._status_changed.clear()
            with contextlib.suppress(BusError):
                if self.connected:
                    await self._send_status("online")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.mqtt.status_interval):
                    await self._status_changed.wait()

    async def _announce(self) -> None:
        await self._send_status("online")
        for name, (topic, payload) in list(self._latest.items()):
            try:
                with contextlib.suppress(Nobody):
                    await self._send(name, payload, topic.qos, topic.retain)
            except Refused as error:
                log.error("%s: %s", name, error)

    async def _send_status(self, state: ServiceState) -> None:
        name = self._address(topics.SERVICE_STATUS)
        with contextlib.suppress(Nobody, Refused):
            await self._send(name, self._status(state), 1, True)

    def _status(self, state: ServiceState) -> bytes:
        return (
            ServiceStatus(
                state=state,
                version=self._version,
                started_at=self.started_at,
                timestamp=time.time(),
                invalid_messages=self.invalid.total(),
                problems=dict(self.problems) if state == "online" else {},
            )
            .model_dump_json()
            .encode()
        )

    async def _send(
        self,
        name: str,
        payload: bytes,
        qos: int,
        retain: bool,
        properties: Properties | None = None,
    ) -> None:
        connection = self.link.connection
        if connection is None:
            raise BusError(f"the broker is away ({self.link.reason})")
        acknowledged = connection.publish(name, payload, qos, retain, properties)
        if acknowledged is not None:
            try:
                async with asyncio.timeout(self._settings.mqtt.timeout):
                    await acknowledged
            except TimeoutError:
                raise BusError("the broker does not answer") from None

    def _receive(self, message: MQTTMessage) -> None:
        if self._is_reply(message):
            return
        if found := self._answerers.get(message.topic):
            self._ask(*found, message)
            return
        parsed = topics.parse(message.topic)
        if parsed is None:
            self._drop(message.topic, "no such topic in the contract")
            return
        topic, levels = parsed
        handlers = self._handlers_of(topic, levels)
        if handlers and (content := self._decode(topic.model, topic.path, message)) is not None:
            if message.retain and not topic.retain:
                self._drop(topic.path, "an event must not be retained")
                return
            for handler in handlers:
                handler(content, levels)

    def _handlers_of(self, topic: Topic[Any], levels: Levels) -> list[Handler]:
        parts = self._plain_address(topic, levels).split("/")
        return [
            handler
            for name, entries in self._handlers.items()
            for wanted, handler in entries
            if wanted.path == topic.path and fits(name.split("/"), parts)
        ]

    def _decode(self, model: type[Message], path: str, message: MQTTMessage) -> Message | None:
        if not message.payload:
            return None  # the retained message was cleared
        if len(message.payload) > MAX_PAYLOAD:
            self._drop(path, f"{len(message.payload)} bytes, at most {MAX_PAYLOAD} are read")
            return None
        try:
            return model.model_validate_json(message.payload)
        except ValidationError as error:
            self._drop(path, summary(error))
        except ValueError as error:  # undecodable numbers or nesting beyond the parser's limits
            self._drop(path, str(error))
        return None

    def _drop(self, path: str, why: str) -> None:
        self.invalid[path] += 1
        if self.invalid[path] == 1:
            log.warning("dropped a message on %s: %s (further ones are counted)", path, why)

    def _is_reply(self, message: MQTTMessage) -> bool:
        if not message.topic.endswith("/reply"):
            return False
        key = getattr(message.properties, "CorrelationData", b"")
        future = self._replies.get(key.decode(errors="replace"))
        if future and not future.done():
            future.set_result(bytes(message.payload))
        else:
            self._drop(topics.REPLY, "an answer to no question")
        return True

    def _ask(self, request: Request[Any, Any], handler: Answerer, message: MQTTMessage) -> None:
        to = getattr(message.properties, "ResponseTopic", "")
        if message.retain or not to:
            self._drop(request.path, "a request without a response topic, or a retained one")
            return
        if (query := self._decode(request.query, request.path, message)) is not None:
            task = asyncio.create_task(self._answer(handler, query, message, to))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(
        self, handler: Answerer, query: Message, message: MQTTMessage, to: str
    ) -> None:
        properties = publish_properties()
        properties.CorrelationData = getattr(message.properties, "CorrelationData", b"")
        try:
            payload = (await handler(query)).model_dump_json().encode()
        except Refusal as refusal:
            payload = json.dumps({"error": str(refusal)}).encode()
        with contextlib.suppress(BusError):
            await self._send(to, payload, 1, False, properties)

    def _address(self, topic: Topic[Any]) -> str:
        return topics.address(topic, self._station, instance=self.instance)

    def _rooted(self, name: str) -> str:
        return f"stations/{self._station}/{name}" if self._station else name

    def _filter(self, topic: Topic[Any], levels: dict[str, str]) -> str:
        given = dict(levels)
        station = given.pop("station", self._station)
        names = {part[1:-1] for part in topic.path.split("/") if part.startswith("{")}
        return topics.address(topic, station, **(dict.fromkeys(names, "+") | given))

    def _plain_address(self, topic: Topic[Any], levels: Levels) -> str:
        given = dict(levels)
        return topics.address(topic, given.pop("station", ""), **given)


def fits(wanted: list[str], parts: list[str]) -> bool:
    """Whether a topic's levels match a filter of the contract, which only ever uses `+`."""
    return len(wanted) == len(parts) and all(
        want in ("+", have) for want, have in zip(wanted, parts, strict=True)
    )


def summary(error: ValidationError) -> str:
    """The first mistake of a payload in a few words, without the payload itself."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else str(first["msg"])


def answer(request: Request[Q, A], payload: bytes) -> A:
    """Read an answer; raises BusError with the reason that the other side gave."""
    try:
        return request.answer.model_validate_json(payload)
    except ValidationError as error:
        with contextlib.suppress(ValueError, TypeError, KeyError):
            raise BusError(str(json.loads(payload)["error"])) from None
        raise BusError(f"an answer that is none: {summary(error)}") from None
