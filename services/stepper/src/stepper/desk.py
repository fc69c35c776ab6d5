"""The one place that decides what the motor does."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine

from bus.messages import StepperCommand, StepperOutcome, StepperRenew, StepperResult

from .judge import Judge, No
from .lease import Lease
from .motor import Motor, MotorError, Report
from .place import Place
from .settings import Stepper
from .travel import rpm_of, steps_of

audit = logging.getLogger("stepper.audit")

ANSWER = 0.5
"""Seconds within which the pins must be as they were told to be."""
LOOK = 0.25
"""Seconds between two looks at the lease."""

Answer = Callable[[StepperResult], None]


class Movement:
    """A movement from the moment at which it was accepted."""

    def __init__(self, command: StepperCommand, steps: int, rpm: float, start: int | None) -> None:
        self.id = command.id
        self.operator = command.operator
        self.steps = steps
        self.rpm = rpm
        self.start = start
        """Where it begins; None for homing, which begins anywhere."""
        self.stopped = False
        self.told = False
        """Whether the indexer has been told: until then none can have ended it."""

    def position(self, done: int) -> int | None:
        """Where the motor is after so many steps."""
        return None if self.start is None else self.start + done


class Desk:
    """Takes commands one after another; whatever is not plainly allowed is refused."""

    def __init__(self, axis: Stepper, place: Place, answer: Answer) -> None:
        self.movement: Movement | None = None
        self.position = place.position
        self.last: str | None = None
        self.outcome: StepperOutcome | None = None
        self.on_change: Callable[[], None] = lambda: None
        self.judge = Judge(axis.nonce)
        self.lease = Lease(axis.lease)
        self.motor = Motor(axis, self._hear)
        self.motor.shaft = axis.simulated_at if place.position is None else place.position
        self._axis = axis
        self._place = place
        self._answer = answer
        self._writing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()

    def take(self, command: StepperCommand) -> None:
        """Decide at once; what was accepted is carried out, and answered, afterwards."""
        try:
            work = self._decide(command)
        except No as no:
            self._say(command, no)
        else:
            self._spawn(self._finish(command, work))

    def renew(self, renewal: StepperRenew) -> None:
        """The operator of the movement is still there."""
        movement = self.movement
        if movement and (movement.id, movement.operator) == (renewal.id, renewal.operator):
            with contextlib.suppress(MotorError):
                self.motor.tell("renew", beat=renewal.beat)

    def refuse(self, command_id: str | None, reason: str) -> None:
        """Answer something that is no command."""
        audit.warning("refused %s: malformed: %s", command_id, reason)
        self._answer(
            StepperResult(id=command_id, accepted=False, code="malformed", reason=reason[:200])
        )

    async def run(self) -> None:
        """Keep the motor, and take it from whoever is silent; in the end it stands."""
        tasks = [asyncio.create_task(self.motor.run()), asyncio.create_task(self._watch_lease())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._leave()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in tasks:
            task.result()

    def _decide(self, command: StepperCommand) -> Coroutine[None, None, None]:
        if command.action == "stop":
            return self._stop()
        self.judge.admit(command)
        if (holder := self.lease.holder) not in (None, command.operator):
            raise No("held", f"{holder} steers the motor, for {self.lease.left:.0f} s more")
        if self.motor.error:
            raise No("fault", self.motor.error[:200])
        if self.movement:
            raise No("moving", f"it moves for {self.movement.operator}")
        work = self._work(command)
        self.lease.take(command.operator)
        return work

    def _work(self, command: StepperCommand) -> Coroutine[None, None, None]:
        if command.action == "enable":
            return self._switch(True)
        if command.action == "disable":
            return self._disable()
        if not self.motor.report.enabled:
            raise No("not_enabled", "the motor is not enabled")
        if command.action == "home":
            return self._home(command)
        rpm = rpm_of(command, self._axis)
        steps = steps_of(command, self._axis, self.position)
        self.movement = Movement(command, steps, rpm, self.position)
        return self._move(self.movement)

    async def _finish(self, command: StepperCommand, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except No as no:
            self._say(command, no)
        except (MotorError, OSError) as error:
            self._say(command, No("fault", str(error)[:200]))
        else:
            self._say(command)
        self._changed()

    async def _switch(self, on: bool) -> None:
        self.motor.tell("enable" if on else "disable")
        await self._until(lambda: self.motor.report.enabled is on)

    async def _disable(self) -> None:
        await self._switch(False)
        self.lease.give()

    async def _stop(self) -> None:
        if self.movement:
            self.movement.stopped = True
        self.motor.tell("stop")
        await self._until(lambda: not self.motor.report.enabled)

    def _home(self, command: StepperCommand) -> Coroutine[None, None, None]:
        if self._axis.switch_pin is None:
            self.position = 0
            return self._save(0)
        self.movement = Movement(command, 0, self._axis.home_rpm, None)
        return self._move(self.movement)

    async def _move(self, movement: Movement) -> None:
        """The disk knows of it before the motor does."""
        try:
            await self._save(None)
            if movement.stopped:
                raise No("fault", "it was stopped before it began")
            if movement.start is None:
                self.motor.tell("home", id=movement.id)
            else:
                self.motor.tell("move", id=movement.id, steps=movement.steps, rpm=movement.rpm)
            movement.told = True
        except BaseException:
            await self._save_back(movement)
            raise

    async def _save_back(self, movement: Movement) -> None:
        self.movement = None
        with contextlib.suppress(OSError):
            await self._save(movement.start if movement.start is not None else self.position)

    async def _save(self, position: int | None) -> None:
        async with self._writing:
            await asyncio.to_thread(self._place.save, position)

    def _hear(self, report: Report) -> None:
        movement = self.movement
        if movement and report.movement == movement.id and report.ended is None:
            self.position = movement.position(report.done)
        elif movement and movement.told and report.ended and not report.refused:
            self._end(movement, report, report.ended)
        elif movement and report.refused == movement.id:
            self._end(movement, report._replace(done=0), "fault")
        self._changed()

    def _end(self, movement: Movement, report: Report, outcome: StepperOutcome) -> None:
        self.movement, self.last, self.outcome = None, movement.id, outcome
        is_home = outcome == "switch" or (outcome == "done" and movement.start is None)
        self.position = 0 if is_home else movement.position(report.done)
        if report.lost:
            self.position = None
        where = "unknown" if self.position is None else self.position
        audit.info("%s of %s ended: %s, at %s", movement.id, movement.operator, outcome, where)
        if self.lease.holder == movement.operator:
            self.lease.take(movement.operator)
        self._spawn(self._keep(self.position))

    async def _keep(self, position: int | None) -> None:
        try:
            await self._save(position)
        except OSError as error:
            audit.error("the position could not be written: %s", error)

    async def _watch_lease(self) -> None:
        before = None
        while True:
            await asyncio.sleep(min(self.lease.left, LOOK) or LOOK)
            if self.movement:
                self.lease.take(self.movement.operator)
            elif self.lease.holder is None and self.motor.report.enabled:
                audit.info("nobody steers any more: disabled")
                with contextlib.suppress(MotorError, No):
                    await self._switch(False)
            if before != self.lease.holder:
                self._changed()
            before = self.lease.holder

    async def _leave(self) -> None:
        """Stand still, and write down where, as far as that is known."""
        if self.movement:
            self.movement.stopped = True
            with contextlib.suppress(MotorError):
                self.motor.tell("stop")
            with contextlib.suppress(No):
                await self._until(lambda: self.movement is None)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=ANSWER)

    async def _until(self, is_so: Callable[[], bool]) -> None:
        """Wait for the pins to be so; raises No when they are not in time."""
        try:
            async with asyncio.timeout(ANSWER):
                while not is_so():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise No("fault", "the indexer does not do it") from None

    def _changed(self) -> None:
        self._news.set()
        self.on_change()

    def _say(self, command: StepperCommand, no: No | None = None) -> None:
        what = f"{command.action} of {command.operator} ({command.id})"
        if no:
            audit.warning("refused %s: %s: %s", what, no.code, no)
            reason = str(no)[:200]
            result = StepperResult(id=command.id, accepted=False, code=no.code, reason=reason)
        else:
            audit.info("accepted %s", what)
            result = StepperResult(id=command.id, accepted=True, code="ok")
        self._answer(result)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
