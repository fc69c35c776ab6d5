"""The pins of the driver chip, through gpiozero: STEP, DIR, ENABLE and the limit switch."""

import os
import tempfile
from time import perf_counter
from typing import TYPE_CHECKING, Any

from gpiozero import DigitalInputDevice, OutputDevice

if TYPE_CHECKING:
    from .settings import Stepper


def real_factory() -> Any:
    """gpiozero's lgpio pins, of which an output is never at a wrong level, and is left as it is.

    gpiozero would claim an output low and raise it a moment later, which switches an active-low
    ENABLE on; and it would make an input of it in the end, which A4988 and DRV8825 pull low: on.
    A line that is given back keeps its level on a Pi (`persist_gpio_outputs` of its kernel).
    """
    # lgpio makes a pipe in the working folder, which a service may not write to.
    os.environ.setdefault("LG_WD", tempfile.gettempdir())
    import lgpio
    from gpiozero.pins.lgpio import LGPIOFactory, LGPIOPin

    class Pin(LGPIOPin):  # type: ignore[misc]
        def output_with_state(self, state: int) -> None:
            lgpio.gpio_claim_output(self.factory._handle, self._number, int(state))

        def close(self) -> None:
            """Keep the level."""

    factory = LGPIOFactory()
    factory.pin_class = Pin
    return factory


def factory(axis: "Stepper", shaft: int) -> Any:
    """The pins that the settings choose; the errors of lgpio come through as they are."""
    if axis.driver == "simulated":
        from .simulated import Bench

        return Bench(axis, shaft)
    return real_factory()


def enable_pin(axis: "Stepper", pins: Any) -> OutputDevice:
    """ENABLE, off from the first moment."""
    return OutputDevice(
        axis.enable_pin,
        active_high=not axis.enable_active_low,
        initial_value=False,
        pin_factory=pins,
    )


class Pins:
    """Opens with ENABLE off; nothing else is touched before that."""

    def __init__(self, axis: "Stepper", shaft: int = 0) -> None:
        pins = factory(axis, shaft)
        self._enable = enable_pin(axis, pins)
        self._step = OutputDevice(axis.step_pin, pin_factory=pins)
        self._direction = OutputDevice(
            axis.direction_pin, active_high=not axis.invert_direction, pin_factory=pins
        )
        self._switch = None
        if axis.switch_pin is not None:
            self._switch = DigitalInputDevice(
                axis.switch_pin, pull_up=axis.switch_active_low, pin_factory=pins
            )
        self._pulse = axis.pulse_us / 1e6

    @property
    def at_switch(self) -> bool | None:
        """Whether the limit switch is pressed; None when there is none."""
        return bool(self._switch.value) if self._switch else None

    @property
    def enabled(self) -> bool:
        return bool(self._enable.value)

    def enable(self, on: bool) -> None:
        """Let current into the coils, or take it away."""
        self._enable.value = on

    def aim(self, up: bool) -> None:
        """Choose the direction; DIR stands before STEP rises (DRV8825 650 ns, A4988 200 ns)."""
        self._direction.value = up
        rest(self._pulse)

    def pulse(self) -> None:
        """One step at the rising edge.

        STEP is high for at least 1.9 µs (DRV8825, SLVSA73 §6.6) or 1 µs (A4988, fig. 1).
        """
        self._step.on()
        rest(self._pulse)
        self._step.off()


def rest(seconds: float) -> None:
    """Wait for some µs: the kernel's sleep takes longer than that."""
    end = perf_counter() + seconds
    while perf_counter() < end:
        pass


def release(axis: "Stepper") -> None:
    """Switch ENABLE off, when whoever had it is gone."""
    pins = factory(axis, 0)
    enable_pin(axis, pins)
    pins.close()
