"""The motor as web sees it: commands go out on the bus, and what became of them comes back."""

import asyncio
import contextlib
import secrets
from collections import Counter
from collections.abc import Iterator
from typing import Any

from bus import Bus, BusError
from bus.messages import (
    StepperAction,
    StepperCommand,
    StepperNonceQuery,
    StepperRenew,
    StepperResult,
    StepperStatus,
)
from bus.topics import (
    STEPPER_COMMAND,
    STEPPER_NONCE,
    STEPPER_RENEW,
    STEPPER_RESULT,
    STEPPER_STATUS,
)

from .identity import Identity
from .pulse import Pulse
from .readings import Readings
from .trouble import bus_trouble, service_trouble

EXPIRES = 2.0
"""Seconds after its nonce was issued in which a command is still meant."""
NO_NONCE = "stop"
"""What a stop carries, since it waits for no nonce."""


class AwayError(Exception):
    """Why there is no motor to command."""


class Motor:
    """Speaks for the operators; it is the only one that may."""

    def __init__(self, bus: Bus, readings: Readings, pulse: Pulse, patience: float) -> None:
        self._bus = bus
        self._readings = readings
        self._pulse = pulse
        self._patience = patience
        self._waiting: dict[str, asyncio.Future[StepperResult]] = {}
        self._pages: Counter[str] = Counter()
        self._renewed: tuple[str, int] = ("", 0)
        self._tasks: set[asyncio.Task[None]] = set()
        bus.subscribe(STEPPER_RESULT, lambda result, _levels: self._take(result))

    @property
    def status(self) -> StepperStatus:
        """What the motor says of itself; AwayError when it does not."""
        trouble = bus_trouble(self._pulse) or service_trouble("stepper", self._readings)
        status = self._readings.get(STEPPER_STATUS)
        if trouble or status is None:
            raise AwayError(trouble or "this station has no motor: service stepper is not there")
        return status

    @contextlib.contextmanager
    def present(self, who: Identity) -> Iterator[None]:
        """Somebody has a page open, over which they can renew what they begin."""
        self._pages[who.subject] += 1
        try:
            yield
        finally:
            self._pages[who.subject] -= 1
            self._pages = +self._pages

    def sees(self, who: Identity) -> bool:
        """Whether this person has a page open."""
        return self._pages[who.subject] > 0

    def renew(self, who: Identity, movement: str, beat: int) -> None:
        """Pass the word of an operator's page on, at once and each only once."""
        status = self._readings.get(STEPPER_STATUS)
        if status is None or not who.operator:
            return
        mine = (status.movement, status.operator) == (movement, name_of(who))
        if not mine or (movement, beat) == self._renewed:
            return
        self._renewed = movement, beat
        task = asyncio.create_task(self._renew(who, movement, beat))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def command(self, who: Identity, action: StepperAction, **about: Any) -> StepperResult:
        """Send a command and wait for its result; AwayError when there is none."""
        # Whether the stepper is there is judged by a wall clock: that must never hold a stop back.
        if action != "stop":
            _ = self.status
        about["id"] = about.get("id") or secrets.token_hex(16)
        name = name_of(who)
        try:
            nonce = NO_NONCE if action == "stop" else await self._nonce(name)
            order = StepperCommand(
                nonce=nonce, expires=EXPIRES, operator=name, action=action, **about
            )
            return await self._send(order)
        except BusError as error:
            _ = self.status  # what is known to be wrong says more
            raise AwayError(f"the stepper does not answer: {error}") from None

    async def _nonce(self, operator: str) -> str:
        query = StepperNonceQuery(operator=operator)
        return (await self._bus.request(STEPPER_NONCE, query, self._patience)).nonce

    async def _send(self, order: StepperCommand) -> StepperResult:
        future: asyncio.Future[StepperResult] = asyncio.get_running_loop().create_future()
        if self._waiting.setdefault(order.id, future) is not future:
            raise BusError("a command of this id is under way")
        try:
            await self._bus.publish(STEPPER_COMMAND, order)
            async with asyncio.timeout(self._patience):
                return await future
        except TimeoutError:
            raise BusError(f"no result within {self._patience:g} s") from None
        finally:
            del self._waiting[order.id]

    async def _renew(self, who: Identity, movement: str, beat: int) -> None:
        with contextlib.suppress(BusError):
            renewal = StepperRenew(id=movement, operator=name_of(who), beat=beat)
            await self._bus.publish(STEPPER_RENEW, renewal)

    def _take(self, result: StepperResult) -> None:
        future = self._waiting.get(result.id or "")
        if future and not future.done():
            future.set_result(result)


def name_of(who: Identity) -> str:
    """The operator's name as the bus takes it."""
    return who.name[:64]
