"""What people do to each other: they are here, they say something, they take it back."""

import asyncio
import contextlib

from bus import Bus, BusError, Nobody
from bus.messages import ChatDelete, ChatResult, ChatSend, Heartbeat
from bus.messages.people import Presence
from bus.topics import CHAT_DELETE, CHAT_SEND, HEARTBEAT

from .identity import Identity
from .settings import Web

RAW = 4000
"""Characters that are passed on; `chat` refuses far fewer, and says so."""
LONGEST_NAME = 64


class AwayError(BusError):
    """`chat` does not answer; the text says why."""


class Talk:
    """Speaks to `chat`; whoever asks is named by their identity and never by their own word."""

    def __init__(self, bus: Bus, settings: Web) -> None:
        self._bus = bus
        self._settings = settings
        self._waiting: dict[tuple[str, str], Heartbeat] = {}
        self._called = asyncio.Event()

    async def say(self, who: Identity, one: str, text: str) -> ChatResult:
        """Say something; raises AwayError, pydantic's ValidationError for an id that is none."""
        send = ChatSend(id=one, username=named(who), message=text.strip()[:RAW])
        try:
            return await self._bus.request(CHAT_SEND, send, self._settings.chat_wait)
        except BusError as error:
            raise away(error) from None

    async def delete(self, who: Identity, one: str) -> ChatResult:
        """Take a message back, for somebody whose right to it has been checked."""
        order = ChatDelete(id=one, username=named(who))
        try:
            return await self._bus.request(CHAT_DELETE, order, self._settings.chat_wait)
        except BusError as error:
            raise away(error) from None

    async def beat(self, heartbeat: Heartbeat) -> None:
        """Pass a heartbeat on and know that it was heard; raises AwayError."""
        self._waiting.pop((heartbeat.name, heartbeat.session), None)
        try:
            await self._bus.publish(HEARTBEAT, heartbeat)
        except BusError as error:
            raise away(error) from None

    def beat_soon(self, heartbeat: Heartbeat) -> None:
        """Pass a heartbeat on without waiting; of a session only the newest is."""
        self._waiting[heartbeat.name, heartbeat.session] = heartbeat
        self._called.set()

    async def run(self) -> None:
        """Pass on what waits, a few times a second, until cancelled."""
        while True:
            await self._called.wait()
            self._called.clear()
            while self._waiting:
                newest = self._waiting.pop(next(iter(self._waiting)))
                # Without chat there is no roster; the next heartbeat comes soon.
                with contextlib.suppress(BusError):
                    await self._bus.publish(HEARTBEAT, newest)
            await asyncio.sleep(self._settings.heartbeat_pause)


def named(who: Identity) -> str:
    """The name under which somebody speaks."""
    return who.name[:LONGEST_NAME]


def heartbeat(who: Identity, session: str, state: Presence, left: bool = False) -> Heartbeat:
    """A heartbeat of one tab; raises ValidationError for a session that is none."""
    return Heartbeat(name=named(who), session=session, state=state, left=left)


def away(error: BusError) -> AwayError:
    """Why chat did not answer, in words for people."""
    if isinstance(error, Nobody):
        return AwayError("the chat service is not there: it is being restarted, or was stopped")
    return AwayError(f"the chat service does not answer: {error}")
