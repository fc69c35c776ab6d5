"""`python -m stepper`: the desk, the motor and the bus wired together."""

import asyncio
import contextlib
import json
from typing import Any

from bus import Bus, BusError, Message, Topic, main, wall_clock
from bus.messages import StepperLease, StepperNonce, StepperNonceQuery, StepperResult, StepperStatus
from bus.messages.people import Identifier
from bus.repeat import repeat
from bus.settings import SettingsError
from bus.topics import (
    STEPPER_COMMAND,
    STEPPER_LEASE,
    STEPPER_NONCE,
    STEPPER_RENEW,
    STEPPER_RESULT,
    STEPPER_STATUS,
)
from pydantic import TypeAdapter

from .desk import Desk
from .motor import STARTING
from .place import Place
from .settings import Settings, Stepper

IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)
OFF = "stepper.enabled is false: set it to true once the motor is wired (docs/wiring.md)"


async def work(bus: Bus, settings: Settings, _name: str) -> None:
    """The motor: one movement at a time, within its limits, for whoever is there to see it."""
    axis = settings.stepper
    if not axis.enabled:
        raise SettingsError(OFF)
    results: asyncio.Queue[StepperResult] = asyncio.Queue()
    desk = Desk(axis, Place(settings.state_dir), results.put_nowait)

    async def issue(query: StepperNonceQuery) -> StepperNonce:
        return desk.judge.issue(query.operator)

    bus.on_drop(STEPPER_COMMAND, lambda payload, why: desk.refuse(id_of(payload), why))
    bus.subscribe(STEPPER_COMMAND, lambda command, _levels: desk.take(command))
    bus.subscribe(STEPPER_RENEW, lambda renewal, _levels: desk.renew(renewal))
    bus.respond(STEPPER_NONCE, issue)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(answer(bus, results))
            group.create_task(tell(bus, desk, axis))
            group.create_task(desk.run())
    finally:
        await publish(bus, STEPPER_STATUS, status(desk, axis))
        await publish(bus, STEPPER_LEASE, StepperLease(holder=None, until=None))


async def answer(bus: Bus, results: asyncio.Queue[StepperResult]) -> None:
    """Publish each result; who has not waited for it does not get it later."""
    while True:
        await publish(bus, STEPPER_RESULT, await results.get())


async def tell(bus: Bus, desk: Desk, axis: Stepper) -> None:
    """Publish the state whenever it changes, and the lease when it does."""
    changed = asyncio.Event()
    desk.on_change = changed.set
    lease: StepperLease | None = None

    async def say() -> None:
        nonlocal lease
        if desk.motor.error != STARTING:
            bus.problem("motor", desk.motor.error)
        await publish(bus, STEPPER_STATUS, status(desk, axis))
        if (now := desk.lease.message()) != lease:
            lease = now
            await publish(bus, STEPPER_LEASE, now)

    await repeat(say, changed, axis.interval)


async def publish(bus: Bus, topic: Topic[Any], message: Message) -> None:
    """Publish; while the broker is away there is nobody to tell."""
    with contextlib.suppress(BusError):
        await bus.publish(topic, message)


def status(desk: Desk, axis: Stepper) -> StepperStatus:
    """What the motor does at this moment."""
    movement, report = desk.movement, desk.motor.report
    target = None
    if movement and movement.start is not None:
        target = movement.start + movement.steps
    return StepperStatus(
        timestamp=wall_clock.now(),
        interval=axis.interval,
        simulated=axis.driver == "simulated",
        enabled=report.enabled,
        moving=movement is not None,
        position=desk.position,
        target=target,
        minimum=axis.minimum,
        maximum=axis.maximum,
        steps_per_revolution=axis.steps_per_revolution,
        travel=axis.travel,
        rpm=axis.rpm,
        max_rpm=axis.max_rpm,
        homing="here" if axis.switch_pin is None else "switch",
        at_switch=report.at_switch,
        movement=movement.id if movement else None,
        operator=movement.operator if movement else None,
        beat=report.beat if movement else None,
        last=desk.last,
        outcome=desk.outcome,
        error=desk.motor.error and desk.motor.error[:200],
    )


def id_of(payload: bytes) -> str | None:
    """The id of something that is no command, if it has one."""
    try:
        return IDENTIFIER.validate_python(json.loads(payload)["id"], strict=True)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


if __name__ == "__main__":
    main("stepper", Settings, work)
