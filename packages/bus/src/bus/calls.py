"""Questions and answers: MQTT 5 request/response (§4.10)."""

import asyncio
import contextlib
import json
import logging
import secrets
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

from paho.mqtt.client import MQTTMessage
from pydantic import ValidationError

from . import topics
from .connection import publish_properties
from .errors import BusError, Declined, Refusal
from .inbox import Inbox, summary
from .link import Link
from .messages import Message
from .topics import A, Q, Request

log = logging.getLogger(__name__)

Answerer = Callable[[Any], Awaitable[Message]]
MOST_ERRORS = 100
"""Kinds of unexpected errors that are remembered, so that each is logged once."""


class Calls:
    """Asks over a link and answers what is asked there."""

    def __init__(self, link: Link, inbox: Inbox, station: str, instance: str) -> None:
        self._link = link
        self._inbox = inbox
        self._station = station
        self._reply = topics.rooted(topics.REPLY.format(instance=instance), station)
        self._waiting: dict[bytes, asyncio.Future[bytes]] = {}
        self._answerers: dict[str, tuple[Request[Any, Any], Answerer]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._errors: set[tuple[str, str, str]] = set()

    async def ask(self, request: Request[Q, A], query: Q, seconds: float) -> A:
        """The answer; BusError says why there is none."""
        self._link.subscribe(self._reply, 1)
        key = secrets.token_hex(8).encode()
        properties = publish_properties()
        properties.ResponseTopic, properties.CorrelationData = self._reply, key
        future = self._waiting[key] = asyncio.get_running_loop().create_future()
        name = topics.address(request, self._station)
        try:
            async with asyncio.timeout(seconds):
                await self._link.ready()
                payload = query.model_dump_json().encode()
                await self._link.send(name, payload, 1, False, properties)
                return read(request, await future)
        except TimeoutError:
            raise BusError(f"no answer on {name} within {seconds:g} s") from None
        finally:
            del self._waiting[key]
            self._link.unsubscribe(self._reply)

    def answer(self, request: Request[Q, A], handler: Callable[[Q], Awaitable[A]]) -> None:
        """Let a handler answer; it raises Refusal to say no.

        Any other error is answered too, with code 500, and logged once a kind.
        """
        name = topics.address(request, self._station)
        self._answerers[name] = request, handler
        self._link.subscribe(name, 1)

    def receive(self, message: MQTTMessage) -> bool:
        """Take a message if it is a question or an answer."""
        if message.topic == self._reply:
            self._resolve(message)
            return True
        if found := self._answerers.get(message.topic):
            self._begin(*found, message)
            return True
        return False

    def _resolve(self, message: MQTTMessage) -> None:
        future = self._waiting.get(getattr(message.properties, "CorrelationData", b""))
        if future and not future.done():
            future.set_result(bytes(message.payload))
        else:
            self._inbox.drop(topics.REPLY, "an answer to no question")

    def _begin(self, request: Request[Any, Any], handler: Answerer, message: MQTTMessage) -> None:
        to = getattr(message.properties, "ResponseTopic", "")
        if message.retain or not to:
            why = "a request without a response topic, or a retained one"
            self._inbox.drop(request.path, why)
            return
        query = self._inbox.decode(request.query, request.path, message)
        task = asyncio.create_task(self._respond(request.path, handler, query, message, to))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _respond(
        self, path: str, handler: Answerer, query: Message | None, message: MQTTMessage, to: str
    ) -> None:
        properties = publish_properties()
        properties.CorrelationData = getattr(message.properties, "CorrelationData", b"")
        payload = await self._payload(path, handler, query)
        with contextlib.suppress(BusError):
            await self._link.send(to, payload, 1, False, properties)

    async def _payload(self, path: str, handler: Answerer, query: Message | None) -> bytes:
        if query is None:
            return refused("that is no request of this kind", 400)
        try:
            return (await handler(query)).model_dump_json().encode()
        except Refusal as refusal:
            return refused(str(refusal), refusal.code)
        # Whoever asks must not wait for an answer that never comes, and the service goes on.
        except Exception as error:  # noqa: BLE001
            self._report(path, error)
            return refused(f"an error in the answering service ({type(error).__name__})", 500)

    def _report(self, path: str, error: Exception) -> None:
        """Log an unexpected error with its traceback, once for each place that raises it."""
        where = traceback.extract_tb(error.__traceback__)[-1]
        kind = path, type(error).__name__, f"{where.filename}:{where.lineno}"
        if kind in self._errors or len(self._errors) >= MOST_ERRORS:
            return
        self._errors.add(kind)
        log.error("%s: answered with an error (once a kind)", path, exc_info=error)


def refused(reason: str, code: int) -> bytes:
    """The payload of a refusal; code: the HTTP status code."""
    return json.dumps({"error": reason, "code": code}).encode()


def read(request: Request[Q, A], payload: bytes) -> A:
    """Read an answer; raises Declined with the reason that the other side gave."""
    try:
        return request.answer.model_validate_json(payload)
    except ValidationError as error:
        with contextlib.suppress(ValueError, TypeError, KeyError):
            said = json.loads(payload)
            raise Declined(str(said["error"]), int(said.get("code", 400))) from None
        raise BusError(f"an answer that is none: {summary(error)}") from None
