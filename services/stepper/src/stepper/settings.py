"""Settings of `stepper`."""

from pathlib import Path
from typing import Literal, Self

import bus
from bus.settings import Section
from pydantic import Field, model_validator


class Stepper(Section):
    """The table `[stepper]`: one motor behind an A4988, a DRV8825 or their like."""

    enabled: bool = Field(False, description="true once the motor is wired: docs/wiring.md")
    driver: Literal["gpio", "simulated"] = Field(
        "gpio", description="simulated = gpiozero's mock pins, readings are marked"
    )
    step_pin: int = Field(23, ge=0, le=27, description="BCM number of STEP")
    direction_pin: int = Field(24, ge=0, le=27, description="BCM number of DIR")
    enable_pin: int = Field(18, ge=0, le=27, description="BCM number of ENABLE")
    switch_pin: int | None = Field(
        None, ge=0, le=27, description="BCM number of the limit switch; null = there is none"
    )
    enable_active_low: bool = Field(True, description="as A4988 and DRV8825 want it")
    switch_active_low: bool = Field(True, description="the switch connects the pin to ground")
    invert_direction: bool = Field(False, description="true turns the motor the other way round")
    steps_per_revolution: int = Field(200, ge=1, le=51_200, description="microsteps count, too")
    minimum: int = Field(0, ge=-1_000_000, le=1_000_000, description="soft limit, steps from home")
    maximum: int = Field(
        1000, ge=-1_000_000, le=1_000_000, description="soft limit, steps from home"
    )
    travel: int = Field(200, ge=1, le=1_000_000, description="steps of open and close")
    rpm: float = Field(60, gt=0, le=1000, description="speed when a command says none")
    max_rpm: float = Field(120, gt=0, le=1000, description="faster commands are refused")
    start_rpm: float = Field(
        60, gt=0, le=1000, description="speed at which the motor starts and stops without ramp"
    )
    acceleration: float = Field(120, gt=0, le=100_000, description="rpm a second above start_rpm")
    pulse_us: float = Field(5, ge=2, le=1000, description="µs that STEP is high; DRV8825: 1.9")
    settle: float = Field(
        0.02, ge=0, le=0.04, description="s that the motor is held after a stop, before ENABLE ends"
    )
    home_rpm: float = Field(30, gt=0, le=1000, description="speed of homing; start_rpm at most")
    home_steps: int = Field(
        1200, ge=1, le=1_000_000, description="steps within which the switch must be found"
    )
    back_off: int = Field(20, ge=1, le=10_000, description="steps off the switch, to try anew")
    dead_man: float = Field(1, ge=0.2, le=5, description="s without a renewal that stop a movement")
    beat: float = Field(0.25, ge=0.05, le=1, description="s between two calls for a renewal")
    nonce: float = Field(10, gt=0, le=60, description="s that a command may be old at most")
    lease: float = Field(60, ge=1, le=3600, description="s after the holder's last command")
    interval: float = Field(10, gt=0, le=3600, description="s between two status messages")
    silence: float = Field(1, ge=0.2, le=30, description="s without a word of the indexer")
    retry: float = Field(5, gt=0, le=600, description="s before the pins are tried again")
    simulated_at: int = Field(
        120, ge=-10_000, le=10_000, description="simulated: steps from the switch at the start"
    )
    trace: Path | None = Field(
        None, description="simulated: a file that gets every edge: monotonic ns, pin, level, pid"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        pins = [self.step_pin, self.direction_pin, self.enable_pin, self.switch_pin]
        if len(set(pins)) < len(pins):
            raise ValueError("two of step_pin, direction_pin, enable_pin, switch_pin are the same")
        if self.minimum >= self.maximum:
            raise ValueError("minimum must be less than maximum")
        if max(self.rpm, self.start_rpm) > self.max_rpm:
            raise ValueError("rpm and start_rpm must be at most max_rpm")
        if self.home_rpm > self.start_rpm:
            raise ValueError("home_rpm must be at most start_rpm: at the switch there is no ramp")
        if self.beat > self.dead_man / 2:
            raise ValueError("beat must be at most half of dead_man")
        if self.trace and self.driver != "simulated":
            raise ValueError("trace is for driver simulated only")
        return self


class Settings(bus.Settings):
    """Everything that `stepper` knows."""

    stepper: Stepper = Stepper()
