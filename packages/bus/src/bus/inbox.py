"""Messages as they come in: checked against the contract, handed on or counted."""

import logging
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from paho.mqtt.client import MQTTMessage
from pydantic import ValidationError

from . import topics
from .messages import Message
from .messages.base import LEVEL
from .topics import Levels, M, Topic

log = logging.getLogger(__name__)

MAX_PAYLOAD = 262_144
"""Bytes of JSON beyond which a message is dropped unread."""

Handler = Callable[[Any, Levels], None]
OnDrop = Callable[[bytes, str], None]
"""Gets the payload of a dropped message, and why it was."""


class Inbox:
    """Holds the handlers; what does not validate is logged once a topic, counted and dropped."""

    def __init__(self, invalid: Counter[str] | None = None) -> None:
        self.invalid: Counter[str] = Counter() if invalid is None else invalid
        self.on_drop: dict[str, OnDrop] = {}
        """Who answers for what is dropped, by the path of its topic."""
        self._handlers: dict[str, list[Handler]] = {}

    def add(self, pattern: str, handler: Handler) -> None:
        """Hand messages whose name fits the pattern to this handler too."""
        self._handlers.setdefault(pattern, []).append(handler)

    def remove(self, pattern: str, handler: Handler) -> None:
        """No longer."""
        self._handlers[pattern].remove(handler)
        if not self._handlers[pattern]:
            del self._handlers[pattern]

    def receive(self, message: MQTTMessage) -> None:
        """Check one message and hand it on."""
        if (parsed := topics.parse(message.topic)) is None:
            return
        topic, levels = parsed
        handlers = [
            handler
            for pattern, entries in self._handlers.items()
            if topics.fits(pattern, message.topic)
            for handler in entries
        ]
        if handlers and (content := self._check(topic, levels, message)) is not None:
            for handler in handlers:
                handler(content, levels)

    def _check(self, topic: Topic[Any], levels: Levels, message: MQTTMessage) -> Message | None:
        if not all(re.fullmatch(LEVEL, level) for level in levels.values()):
            self.drop(topic.path, "a level of its name is none of the contract", message)
            return None
        if message.retain and not topic.retain and message.payload:
            self.drop(topic.path, "an event must not be retained", message)
            return None
        return self.decode(topic.model, topic.path, message)

    def decode(self, model: type[M], path: str, message: MQTTMessage) -> M | None:
        """A payload as its model; None when it is none, or when a retained one was cleared."""
        if not message.payload:
            return None
        if len(message.payload) > MAX_PAYLOAD:
            why = f"{len(message.payload)} bytes, at most {MAX_PAYLOAD} are read"
            self.drop(path, why, message)
            return None
        try:
            return model.model_validate_json(message.payload)
        except ValidationError as error:
            self.drop(path, summary(error), message)
        return None

    def drop(self, path: str, why: str, message: MQTTMessage | None = None) -> None:
        """Count a message that is not what its topic declares; the first is logged."""
        self.invalid[path] += 1
        if self.invalid[path] == 1:
            log.warning("dropped a message on %s: %s (further ones are counted)", path, why)
        if message and (answer := self.on_drop.get(path)):
            answer(bytes(message.payload), why)


def summary(error: ValidationError) -> str:
    """The first mistake of a payload in a few words, without the payload itself."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else str(first["msg"])
