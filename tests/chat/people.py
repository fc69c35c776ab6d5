"""Somebody on the bus who speaks to `chat` as web does, and listens."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

from bus import Bus, BusError, Settings
from bus.messages import (
    ChatDelete,
    ChatHistory,
    ChatMessage,
    ChatResult,
    ChatSend,
    Heartbeat,
    Viewers,
)
from bus.settings import Mqtt
from bus.topics import CHAT_DELETE, CHAT_HISTORY, CHAT_MESSAGE, CHAT_SEND, HEARTBEAT, VIEWERS
from conftest import DEADLINE


class People:
    """Everybody who watches, over one connection; `async with People(port) as people`."""

    def __init__(self, port: int, name: str = "web") -> None:
        mqtt = Mqtt(port=port, retry_max=0.3, timeout=2)
        self.bus = Bus(Settings(mqtt=mqtt), name, "0")
        self.messages: list[ChatMessage] = []
        self.history: ChatHistory | None = None
        self.viewers: Viewers | None = None
        self._changed = asyncio.Event()
        self.bus.subscribe(CHAT_MESSAGE, lambda message, _: self._heard("messages", message))
        self.bus.subscribe(CHAT_HISTORY, lambda history, _: self._heard("history", history))
        self.bus.subscribe(VIEWERS, lambda viewers, _: self._heard("viewers", viewers))

    async def __aenter__(self) -> "People":
        self._task = asyncio.create_task(self.bus.run())
        await self.bus.link.ready()
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def ready(self) -> "People":
        """Wait until chat has read its disk."""
        await self.until(lambda: self.history is not None, "chat has said its history")
        return self

    async def say(
        self, text: str, name: str = "ann", one: str | None = None, seconds: float = DEADLINE
    ) -> ChatResult:
        send = ChatSend(id=one or secrets.token_hex(16), username=name, message=text)
        return await self.bus.request(CHAT_SEND, send, seconds)

    async def insist(self, text: str, name: str, one: str) -> ChatResult:
        """Say the same again and again until there is an answer, as a page does."""
        while True:
            try:
                return await self.say(text, name, one, seconds=1)
            except BusError:
                await asyncio.sleep(0.05)

    async def accepted(self, text: str, name: str, one: str) -> ChatResult:
        """Insist until it is accepted."""
        while True:
            if (result := await self.insist(text, name, one)).accepted:
                return result
            await asyncio.sleep(0.05)

    async def delete(self, one: str, name: str = "op") -> ChatResult:
        return await self.bus.request(CHAT_DELETE, ChatDelete(id=one, username=name), DEADLINE)

    async def beat(self, name: str, session: str = "tab", **about: Any) -> None:
        await self.bus.publish(HEARTBEAT, Heartbeat(session=session, name=name, **about))

    async def throw(self, topic: str, payload: bytes) -> None:
        """Leave rubbish on a topic, retained."""
        await self.bus.link.send(topic, payload, 0, True)

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for messages until it is so."""

        async def watch() -> None:
            while not condition():
                self._changed.clear()
                await self._changed.wait()

        try:
            await asyncio.wait_for(watch(), DEADLINE)
        except TimeoutError:
            raise AssertionError(f"never: {what}; {self.viewers} {self.history}") from None

    def states(self) -> dict[str, str]:
        """Name → viewing or away, as the roster says it."""
        return {v.name: v.state for v in self.viewers.viewers} if self.viewers else {}

    def counts(self, number: int) -> bool:
        """Whether so many are watching."""
        return self.viewers is not None and self.viewers.count == number

    def texts(self) -> list[str]:
        """The messages of the history."""
        return [message.message for message in self.history.messages] if self.history else []

    def _heard(self, what: str, message: Any) -> None:
        if what == "messages":
            self.messages.append(message)
        else:
            setattr(self, what, message)
        self._changed.set()


Join = Callable[..., Awaitable[People]]
