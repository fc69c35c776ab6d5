"""An operator at the motor's bus, and what the pins did, as another process sees it."""

import asyncio
import itertools
import threading
import uuid
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from bus import Bus, BusError, Settings
from bus.messages import (
    StepperCommand,
    StepperLease,
    StepperNonce,
    StepperNonceQuery,
    StepperRenew,
    StepperResult,
    StepperStatus,
)
from bus.settings import Mqtt
from bus.topics import (
    STEPPER_COMMAND,
    STEPPER_LEASE,
    STEPPER_NONCE,
    STEPPER_RENEW,
    STEPPER_RESULT,
    STEPPER_STATUS,
)
from conftest import DEADLINE, wait_until

STEP, DIRECTION, ENABLE = 23, 24, 18
T = TypeVar("T")


class Edge(NamedTuple):
    at: float
    """Monotonic seconds, the same clock in every process."""
    pin: int
    level: int
    pid: int


class Trace:
    """Reads the file to which the simulated pins write every edge."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def edges(self) -> list[Edge]:
        if not self.path.exists():
            return []
        whole = self.path.read_text().rpartition("\n")[0]
        words = [line.split() for line in whole.splitlines()]
        return [
            Edge(int(at) / 1e9, int(pin), int(level), int(pid)) for at, pin, level, pid in words
        ]

    def pulses(self) -> list[float]:
        """When each step was made."""
        return [edge.at for edge in self.edges() if edge.pin == STEP and edge.level]

    @property
    def enabled(self) -> bool:
        """Whether there is current in the coils: ENABLE is low."""
        levels = [edge.level for edge in self.edges() if edge.pin == ENABLE]
        return bool(levels) and levels[-1] == 0

    def gaps(self) -> list[float]:
        return [later - earlier for earlier, later in itertools.pairwise(self.pulses())]


class Remote:
    """Speaks on the bus as web does, from a thread of its own; renews while `holds` is true."""

    def __init__(self, port: int, operator: str = "ana", instance: str = "remote") -> None:
        self.operator = operator
        self.holds = True
        self.status: StepperStatus | None = None
        self.lease: StepperLease | None = None
        self.statuses: list[StepperStatus] = []
        self.results: list[StepperResult] = []
        self._settings = Settings(mqtt=Mqtt(port=port, retry_max=0.3))
        self._instance = instance
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._live(),))
        self._ready = threading.Event()

    def __enter__(self) -> "Remote":
        self._thread.start()
        assert self._ready.wait(DEADLINE)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(DEADLINE)
        self._loop.close()

    @property
    def now(self) -> StepperStatus:
        assert self.status
        return self.status

    def nonce(self, operator: str | None = None) -> StepperNonce:
        query = StepperNonceQuery(operator=operator or self.operator)
        return self.run(self.bus.request(STEPPER_NONCE, query))

    def command(self, action: Any, **about: Any) -> StepperCommand:
        """A command as it should be; `about` changes any part of it."""
        about.setdefault("operator", self.operator)
        about.setdefault("id", uuid.uuid4().hex)
        about.setdefault("expires", 5)
        if "nonce" not in about:
            about["nonce"] = self.nonce(about["operator"]).nonce
        return StepperCommand(action=action, **about)

    def send(self, command: StepperCommand) -> None:
        self.run(self.bus.publish(STEPPER_COMMAND, command))

    def ask(self, action: Any, **about: Any) -> StepperResult:
        """Send a command, and what became of it."""
        command = self.command(action, **about)
        self.send(command)
        return self.result(command.id)

    def result(self, id: str | None) -> StepperResult:
        """The first answer to a command."""
        wait_until(lambda: any(r.id == id for r in self.results), f"a result of {id}")
        return next(result for result in self.results if result.id == id)

    def wait(self, what: str, **state: Any) -> StepperStatus:
        """Until the stepper says that it is so."""
        wait_until(
            lambda: self.status and all(getattr(self.status, k) == v for k, v in state.items()),
            f"{what}: {state}",
        )
        return self.now

    def enables(self) -> bool:
        """Whether the stepper is there and has enabled the motor."""
        try:
            return self.ask("enable").accepted
        except BusError:
            return False

    def ready(self) -> None:
        """Enabled, and at home."""
        self.wait("the pins are open", error=None)
        assert self.ask("enable").accepted
        assert self.ask("home").accepted
        self.wait("at home", moving=False, position=0)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(DEADLINE)

    async def _live(self) -> None:
        self._end = asyncio.Event()
        self.bus = Bus(self._settings, self._instance, "0")
        self.bus.subscribe(STEPPER_STATUS, lambda status, _levels: self._take(status))
        self.bus.subscribe(STEPPER_RESULT, lambda result, _levels: self.results.append(result))
        self.bus.subscribe(STEPPER_LEASE, lambda lease, _levels: setattr(self, "lease", lease))
        running = asyncio.create_task(self.bus.run())
        await self.bus.link.ready()
        self._ready.set()
        await self._end.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    def _take(self, status: StepperStatus) -> None:
        self.status = status
        self.statuses.append(status)
        if self.holds and status.beat is not None and status.operator == self.operator:
            assert status.movement
            renewal = StepperRenew(id=status.movement, operator=self.operator, beat=status.beat)
            self._loop.create_task(self._renew(renewal))

    async def _renew(self, renewal: StepperRenew) -> None:
        try:
            await self.bus.publish(STEPPER_RENEW, renewal)
        except OSError:
            self.holds = False
