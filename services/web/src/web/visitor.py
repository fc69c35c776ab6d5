"""Whoever sits before an open page, and what they do to others over its WebSocket."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from bus.messages import ChatResult
from bus.messages.people import Presence
from pydantic import ValidationError

from . import talk
from .identity import Identity, how_to_become_operator
from .motor import Motor

AT_ONCE = 8
"""Questions to chat that one page may have open."""

Ask = Callable[[], Awaitable[ChatResult]]
Answer = Callable[[dict[str, Any]], None]


class Visitor:
    """Understands `heartbeat`, `say`, `delete` and `renew`; answers with `said` and `deleted`.

    A page is one session, whatever it says later.
    """

    def __init__(self, who: Identity, to: talk.Talk, motor: Motor) -> None:
        self.who = who
        self._talk = to
        self._motor = motor
        self._session: str | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def hear(self, message: object, answer: Answer) -> bool:
        """Take a message of the page; False when it is none of these."""
        match message:
            case {"type": "heartbeat", "session": str(one), "state": "viewing" | "away" as state}:
                return self._beat(one, state)
            case {"type": "say", "id": str(one), "message": str(text)}:
                ask = partial(self._talk.say, self.who, one, text)
                return self._begin("said", one, ask, answer)
            case {"type": "renew", "id": str(one), "beat": int(beat)} if 0 < beat < 1 << 53:
                self._motor.renew(self.who, one, beat)
                return True
            case {"type": "delete", "id": str(one)}:
                if self.who.operator:
                    ask = partial(self._talk.delete, self.who, one)
                    return self._begin("deleted", one, ask, answer)
                answer(no("deleted", one, "forbidden", how_to_become_operator(self.who)))
                return True
        return False

    def _beat(self, session: str, state: Presence) -> bool:
        if self._session not in (None, session):
            return False
        self._session = session
        try:
            self._talk.beat_soon(talk.heartbeat(self.who, session, state))
        except ValidationError:
            return False
        return True

    def _begin(self, kind: str, one: str, ask: Ask, answer: Answer) -> bool:
        if len(self._tasks) >= AT_ONCE:
            answer(no(kind, one, "busy", "wait for the answers to what you have sent"))
            return True
        task = asyncio.create_task(self._ask(kind, one, ask, answer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def _ask(self, kind: str, one: str, ask: Ask, answer: Answer) -> None:
        try:
            answer({"type": kind} | (await ask()).model_dump())
        except talk.AwayError as error:
            answer(no(kind, one, "away", str(error)))
        except ValidationError:
            answer(no(kind, one[:64], "invalid", "an id has 8 to 64 letters, digits and dashes"))


def no(kind: str, one: str, refusal: str, reason: str) -> dict[str, Any]:
    """An answer that chat has not given."""
    return {"type": kind, "id": one, "accepted": False, "refusal": refusal, "reason": reason}
