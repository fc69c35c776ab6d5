"""A motor without electronics: gpiozero's mock pins, a shaft that they turn, and its switch."""

import os
import time
from typing import TYPE_CHECKING, Any

from gpiozero.pins.mock import MockFactory, MockPin

if TYPE_CHECKING:
    from .settings import Stepper


class SimulatedPin(MockPin):  # type: ignore[misc]
    """Tells the bench of every edge; keeps its level in the end, as the real ones do."""

    def __init__(self, factory: "Bench", info: Any) -> None:
        super().__init__(factory, info)
        self._shown: bool | None = None

    def _set_state(self, value: float) -> None:
        super()._set_state(value)
        if self._shown is not bool(value):
            self._shown = bool(value)
            self.factory.edge(bcm(self), self._shown)

    def _set_pull(self, value: str) -> None:
        super()._set_pull(value)
        self.factory.pulled(self)

    def close(self) -> None:
        """Keep the level."""


class Bench(MockFactory):  # type: ignore[misc]
    """The shaft moves a step at each rising STEP while ENABLE is on; at 0 it is on the switch."""

    def __init__(self, axis: "Stepper", shaft: int) -> None:
        super().__init__(pin_class=SimulatedPin)
        self.shaft = shaft
        self._axis = axis
        self._levels: dict[int, bool] = {}
        self._trace = -1
        if axis.trace:
            self._trace = os.open(axis.trace, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def pulled(self, pin: SimulatedPin) -> None:
        """An input has got its resistor: the switch is at its level from now on."""
        if bcm(pin) == self._axis.switch_pin:
            self._press(pin)

    def edge(self, number: int, level: bool) -> None:
        """An output has changed."""
        axis = self._axis
        self._levels[number] = level
        if self._trace >= 0:
            line = f"{time.monotonic_ns()} {number} {int(level)} {os.getpid()}\n"
            os.write(self._trace, line.encode())
        is_on = self._levels.get(axis.enable_pin) is not axis.enable_active_low
        if number == axis.step_pin and level and is_on:
            up = bool(self._levels.get(axis.direction_pin)) is not axis.invert_direction
            self.shaft += 1 if up else -1
            if axis.switch_pin is not None:
                self._press(self.pin(axis.switch_pin))

    def _press(self, pin: Any) -> None:
        if (self.shaft <= 0) is self._axis.switch_active_low:
            pin.drive_low()
        else:
            pin.drive_high()


def bcm(pin: SimulatedPin) -> int:
    """The BCM number of a pin."""
    return int(pin.info.name.removeprefix("GPIO"))
