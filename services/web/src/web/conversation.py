"""What was said, as `chat` says it; the pages are told each message once."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from bus import Bus, Levels
from bus.messages import ChatHistory, ChatMessage
from bus.topics import CHAT_HISTORY, CHAT_MESSAGE

from .wire import text_frame

SHOWN = 50
"""Messages that are kept, as many as the history has."""


class Conversation:
    """Single messages are fast, the history is the truth: it brings what was missed or deleted."""

    def __init__(self, bus: Bus) -> None:
        self.messages: dict[str, ChatMessage] | None = None
        """By id, in order; None while nothing has been heard."""
        self.on_change: Callable[[bytes], None] = lambda frame: None
        self._name: str | None = None
        bus.subscribe(CHAT_MESSAGE, self._take)
        bus.subscribe(CHAT_HISTORY, self._take_history)

    def whole(self) -> bytes:
        """The frame for a page that has just come."""
        messages = self.messages or {}
        return self._frame(messages.values(), [], whole=True)

    def _take(self, message: ChatMessage, _levels: Levels) -> None:
        if self.messages is not None and message.id not in self.messages:
            self._keep(self.messages | {message.id: message})
            self.on_change(self._frame([message], [], whole=False))

    def _take_history(self, history: ChatHistory, _levels: Levels) -> None:
        said = {message.id: message for message in history.messages}
        if self.messages is None or history.conversation != self._name:
            self._name = history.conversation
            self._keep(said)
            self.on_change(self.whole())
            return
        before = self.messages
        # A history may be older than a message that has come on its own.
        newer = {m.id: m for m in before.values() if m.number > history.last}
        self._keep(said | newer)
        # One that is there already may have got its time.
        new = [message for one, message in self.messages.items() if before.get(one) != message]
        gone = [one for one in before if one not in self.messages]
        if new or gone:
            self.on_change(self._frame(new, gone, whole=False))

    def _keep(self, messages: dict[str, ChatMessage]) -> None:
        ordered = sorted(messages.values(), key=lambda message: message.number)[-SHOWN:]
        self.messages = {message.id: message for message in ordered}

    def _frame(self, messages: Iterable[ChatMessage], deleted: list[str], whole: bool) -> bytes:
        said = [message.model_dump() for message in messages]
        about: dict[str, Any] = {"type": "chat", "known": self.messages is not None}
        about |= {"whole": whole, "messages": said, "deleted": deleted}
        return text_frame(json.dumps(about))
