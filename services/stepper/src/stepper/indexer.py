"""Makes the pulses, in a process of its own that alone has the pins.

It is told what to do over a socket whose other end only the service has. So it learns at once when
the service ends, however it ends, and then stops and switches ENABLE off. It imports neither the
bus nor the settings: pulses wait for nobody, and a Pi's memory is small.
"""

import json
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable
from itertools import repeat
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from .pins import Pins
from .ramp import Pace

if TYPE_CHECKING:
    from .settings import Stepper

MAX_MESSAGE = 8192
PATIENCE = 3.0
"""Seconds that the last report may take to be read."""


class Halt(Exception):
    """The movement ends here; the text is its outcome."""


class Indexer:
    """Does one thing at a time; looks at the socket before every pulse."""

    def __init__(self, axis: "Stepper", pins: Pins, service: socket.socket) -> None:
        self._axis = axis
        self._pins = pins
        self._service = service
        self._next: dict[str, Any] | None = None
        self._movement: str | None = None
        self._done = 0
        self._speed = 0.0
        self._beat = 0
        self._beats: dict[int, float] = {}
        self._deadline = 0.0
        self._report_at = 0.0

    def run(self) -> None:
        """Until the service is gone."""
        self._report()
        while True:
            self._wait(time.monotonic() + self._axis.beat)
            if order := self._next:
                self._next = None
                self._begin(order)

    def halt(self) -> None:
        """Whatever it was: hold the motor for a moment, then let go of it."""
        if self._movement and self._pins.enabled:
            time.sleep(self._axis.settle)
        self._pins.enable(False)

    def _begin(self, order: dict[str, Any]) -> None:
        self._movement, self._done = order["id"], 0
        self._beats.clear()
        self._deadline = time.monotonic() + self._axis.dead_man
        self._report()
        try:
            outcome = self._home() if order["do"] == "home" else self._travel(order)
        except Halt as halt:
            outcome = str(halt)
            self.halt()
        # Only up to its start speed a motor stops where it is; a thousandth is rounding.
        safe = self._pace(self._axis.start_rpm).start * 1.001
        is_lost = outcome != "done" and self._speed > safe
        self._movement, self._speed = None, 0.0
        self._report(ended=outcome, lost=is_lost)

    def _travel(self, order: dict[str, Any]) -> str:
        steps = int(order["steps"])
        pace = self._pace(float(order["rpm"]))
        is_met = self._leg(steps, pace.intervals(abs(steps)), lambda: steps < 0 and self._pressed())
        return "switch" if is_met else "done"

    def _home(self) -> str:
        """Fast to the switch, off it, and slowly to it again."""
        axis = self._axis
        fast = 1 / self._pace(axis.home_rpm).top
        slow = 4 * fast
        self._leg(axis.home_steps, repeat(slow), lambda: not self._pressed())
        if not self._leg(-axis.home_steps, repeat(fast), self._pressed):
            return "no_switch"
        self._leg(axis.back_off, repeat(slow), lambda: False)
        if self._pressed() or not self._leg(-2 * axis.back_off, repeat(slow), self._pressed):
            return "no_switch"
        return "done"

    def _leg(self, steps: int, intervals: Iterable[float], until: Callable[[], bool]) -> bool:
        """So many pulses in one direction; whether `until` ended it before.

        A pulse that comes late delays all after it: none is ever made up for.
        """
        sign = 1 if steps > 0 else -1
        self._pins.aim(steps > 0)
        due = time.monotonic()
        for _, interval in zip(range(abs(steps)), intervals, strict=False):
            self._wait(due)
            if until():
                return True
            self._pins.pulse()
            self._done += sign
            self._speed = 1 / interval
            due = time.monotonic() + interval
        self._wait(due)
        return until()

    def _wait(self, until: float) -> None:
        """Hear the service, and report, until then; raises Halt when the movement has to end."""
        while True:
            now = time.monotonic()
            if self._movement and now >= self._deadline:
                raise Halt("dead_man")
            if now >= self._report_at:
                self._report()
            soonest = min(until, self._report_at)
            if self._movement:
                soonest = min(soonest, self._deadline)
            if select.select((self._service,), (), (), max(0.0, soonest - now))[0]:
                self._hear()
            if self._next and not self._movement:
                return
            if time.monotonic() >= until:
                return

    def _hear(self) -> None:
        data = self._service.recv(MAX_MESSAGE)
        if not data:
            raise EOFError
        order = json.loads(data)
        match order["do"]:
            case "renew":
                self._renew(order["beat"])
            case "stop":
                if self._movement:
                    raise Halt("stopped")
                self._pins.enable(False)
                self._next = None
                self._report()
            case "enable" | "disable" as word:
                self._pins.enable(word == "enable")
                self._report()
            case "move" | "home" if self._movement is None and self._pins.enabled:
                self._next = order
            case _:
                self._report(ended="fault", refused=order["id"])

    def _renew(self, beat: int) -> None:
        """Life is prolonged from the moment at which the answered beat was sent."""
        if (sent := self._beats.get(beat)) is not None:
            self._deadline = max(self._deadline, sent + self._axis.dead_man)
            self._beats = {n: at for n, at in self._beats.items() if n > beat}

    def _report(self, **more: Any) -> None:
        now = time.monotonic()
        self._report_at = now + self._axis.beat
        if self._movement:
            self._beat += 1
            self._beats[self._beat] = now
        report = {
            "movement": self._movement,
            "enabled": self._pins.enabled,
            "done": self._done,
            "beat": self._beat if self._movement else None,
            "at_switch": self._pins.at_switch,
        }
        self._service.send(json.dumps(report | more).encode())

    def _pressed(self) -> bool:
        return bool(self._pins.at_switch)

    def _pace(self, rpm: float) -> Pace:
        axis = self._axis
        return Pace.of(rpm, axis.start_rpm, axis.acceleration, axis.steps_per_revolution)


def main(descriptor: int) -> None:
    """Open the pins, say so or why not, and serve until the service is gone."""
    service = socket.socket(fileno=descriptor)
    service.settimeout(PATIENCE)
    about = json.loads(service.recv(MAX_MESSAGE))
    axis = cast("Stepper", SimpleNamespace(**about["axis"]))
    # The end comes through the socket, after which nothing is left on.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        pins = Pins(axis, about["shaft"])
    except Exception as error:  # noqa: BLE001 (lgpio and gpiozero have no common class)
        service.send(json.dumps({"error": f"the pins cannot be had: {error}"}).encode())
        return
    indexer = Indexer(axis, pins, service)
    try:
        indexer.run()
    except (EOFError, OSError):
        pass
    finally:
        indexer.halt()


if __name__ == "__main__":
    main(int(sys.argv[1]))
