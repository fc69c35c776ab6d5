"""Keeps the conversation, and knows who is watching."""

import asyncio
import contextlib
import time

from bus import Bus, BusError, main, wall_clock
from bus.inbox import MAX_PAYLOAD
from bus.messages import ChatMessage, Heartbeat, Viewer, Viewers
from bus.repeat import repeat
from bus.topics import (
    CHAT_DELETE,
    CHAT_HISTORY,
    CHAT_MESSAGE,
    CHAT_SEND,
    HEARTBEAT,
    VIEWERS,
    Levels,
)

from .beginning import beginning
from .conversation import Conversation
from .roster import Roster
from .settings import Chat, Settings
from .store import Store
from .text import clean_name

LISTED = MAX_PAYLOAD - 4096
"""Bytes of the roster's list, so that whoever hears it does not drop it."""


async def work(bus: Bus, settings: Settings, _name: str) -> None:
    """The chat of those who watch, and the roster of them."""
    chat = settings.chat
    store = Store(settings.state_dir, beginning(settings.runtime_dir), chat.keep, chat.remembered)
    conversation = Conversation(store, chat)
    roster = Roster(chat)
    async with asyncio.TaskGroup() as group:
        group.create_task(conversation.run())
        group.create_task(tell_roster(bus, roster, chat))
        await conversation.looked.wait()
        bus.respond(CHAT_SEND, conversation.say)
        bus.respond(CHAT_DELETE, conversation.delete)
        group.create_task(tell_history(bus, group, conversation, chat))


async def tell_history(
    bus: Bus, group: asyncio.TaskGroup, conversation: Conversation, chat: Chat
) -> None:
    """Each message at once; the history when it has changed, at most every `pause`, and again."""
    changed = asyncio.Event()
    conversation.on_change = changed.set

    def on_message(message: ChatMessage) -> None:
        group.create_task(tell(bus, message))

    async def say() -> None:
        bus.problem("messages", conversation.trouble)
        bus.problem("file", conversation.remark)
        if history := conversation.history():
            await bus.publish(CHAT_HISTORY, history)
            await asyncio.sleep(chat.pause)

    conversation.on_message = on_message
    await repeat(say, changed, chat.repeat)


async def tell(bus: Bus, message: ChatMessage) -> None:
    """To whoever listens at this moment; for the others there is the history."""
    with contextlib.suppress(BusError):
        await bus.publish(CHAT_MESSAGE, message)


async def tell_roster(bus: Bus, roster: Roster, chat: Chat) -> None:
    """The roster when it has changed, at most every `pause`, and again after `repeat`."""
    hear = asyncio.Event()

    def on_heartbeat(beat: Heartbeat, _levels: Levels) -> None:
        if name := clean_name(beat.name):
            named = beat.model_copy(update={"name": name})
            roster.hear(named, time.monotonic(), wall_clock.now())
            hear.set()

    bus.subscribe(HEARTBEAT, on_heartbeat)
    await recall(bus, roster)
    told = 0.0
    while True:
        hear.clear()
        roster.age(time.monotonic(), wall_clock.now())
        if roster.changed or time.monotonic() - told >= chat.repeat:
            roster.changed, told = False, time.monotonic()
            await bus.publish(VIEWERS, listed(roster.viewers()))
        await asyncio.sleep(chat.pause)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(chat.pause):
                await hear.wait()


async def recall(bus: Bus, roster: Roster) -> None:
    """Go on from the roster that the broker still has, if it has one."""

    def on_viewers(viewers: Viewers, _levels: Levels) -> None:
        roster.trust(viewers.viewers, time.monotonic(), wall_clock.now())

    forget = bus.subscribe(VIEWERS, on_viewers)
    # What is retained comes before the answer to anything that was asked later.
    while True:
        await bus.link.ready()
        try:
            await bus.echo()
            break
        except BusError:
            await asyncio.sleep(0.1)
    forget()


def listed(viewers: list[Viewer]) -> Viewers:
    """The roster's message, its list cut where it would be too long to be heard."""
    whole = Viewers(viewers=viewers, count=len(viewers), timestamp=wall_clock.now())
    size = len(whole.model_dump_json().encode())
    if size <= LISTED:
        return whole
    return whole.model_copy(update={"viewers": viewers[: len(viewers) * LISTED // size]})


if __name__ == "__main__":
    main("chat", Settings, work, dated=True)
