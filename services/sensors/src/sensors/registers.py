"""A simulated I²C bus with a BME680 that answers at register level, and fails when told to.

Register map and timing: datasheet BST-BME680-DS001, 5 and 3.1.
"""

import errno
import math
import time
from collections import deque
from collections.abc import Callable, Sequence

from . import calibration
from .settings import Step
from .weather import Air

CHIP_ID, VARIANT, RESET, STATUS, FIELD = 0xD0, 0xF0, 0xE0, 0x1D, 0x1F
RES_HEAT, GAS_WAIT, HEATER, RUN_GAS, HUMIDITY, MODE = 0x5A, 0x64, 0x70, 0x71, 0x72, 0x74
NEW_DATA, GAS_MEASURING, MEASURING = 0x80, 0x40, 0x20
GAS_VALID, HEAT_STABLE = 0x20, 0x10
FORCED = 1

CYCLE = 0.001963
"""Seconds of one oversampling cycle; switching adds `SWITCHING`."""
SWITCHING = 0.005

HEATER_NEEDS = 0.02
"""Seconds until the hot plate reaches its temperature."""


class SimulatedBus:
    """The bus, and one chip on it.

    `weather` gives the air at a Unix time. `script` is what the first measurements meet: `ok`;
    `cold`, the heater does not get stable; `stuck`, the measurement does not end until the next
    reset; `silent`, the chip does not acknowledge the order to measure, or the question who it is.
    After the script all is well.
    """

    def __init__(
        self, weather: Callable[[float], Air], script: Sequence[Step] = (), address: int = 0x76
    ) -> None:
        self._weather = weather
        self._script = deque(script)
        self._address = address
        self._ends_at = math.inf
        self._step: Step = "ok"
        self._reset()

    def read_byte_data(self, i2c_addr: int, register: int) -> int:
        """One register."""
        return self.read_i2c_block_data(i2c_addr, register, 1)[0]

    def read_i2c_block_data(self, i2c_addr: int, register: int, length: int) -> list[int]:
        """Consecutive registers."""
        self._select(i2c_addr, asked=register == CHIP_ID)
        if time.monotonic() >= self._ends_at:
            self._finish()
        return list(self._memory[register : register + length])

    def write_byte_data(self, i2c_addr: int, register: int, value: int) -> None:
        """Set one register; the reset and the mode register act."""
        ordered = register == MODE and value & 3 == FORCED
        self._select(i2c_addr, asked=ordered)
        self._memory[register] = value
        if register == RESET:
            self._reset()
        elif ordered:
            self._begin()

    def close(self) -> None:
        """The chip stays as it is."""

    def _select(self, address: int, asked: bool) -> None:
        here = address == self._address
        silent = here and asked and bool(self._script) and self._script[0] == "silent"
        if silent:
            self._script.popleft()
        if silent or not here:
            raise OSError(errno.EREMOTEIO, "no acknowledgement")

    def _reset(self) -> None:
        self._memory = bytearray(256)
        self._memory[CHIP_ID] = 0x61
        self._memory[VARIANT] = 0x00
        for register, value in calibration.registers().items():
            self._memory[register] = value
        self._ends_at = math.inf

    def _begin(self) -> None:
        self._step = self._script.popleft() if self._script else "ok"
        self._memory[STATUS] |= MEASURING | GAS_MEASURING
        stuck = self._step == "stuck"
        self._ends_at = math.inf if stuck else time.monotonic() + self._duration()

    def _duration(self) -> float:
        modes = self._memory[MODE]
        codes = modes >> 5, modes >> 2 & 7, self._memory[HUMIDITY] & 7
        cycles = sum(1 << code - 1 for code in codes if code)
        return cycles * CYCLE + SWITCHING + self._heating()

    def _heating(self) -> float:
        wait = self._memory[GAS_WAIT]
        on = self._memory[RUN_GAS] & 0x10 and not self._memory[HEATER] & 0x08
        return (wait & 0x3F) * 4 ** (wait >> 6) / 1000 if on else 0.0

    def _finish(self) -> None:
        """Store the air of this moment in the field registers, and go to sleep."""
        self._ends_at = math.inf
        air = self._weather(time.time())
        temperature = calibration.temperature_adc(air.temperature)
        pressure = calibration.pressure_adc(air.pressure, calibration.fine(temperature))
        humidity = calibration.humidity_adc(air.humidity, air.temperature)
        gas, step = calibration.gas_adc(air.gas_resistance)
        hot = self._step != "cold" and self._memory[RES_HEAT] and self._heating() >= HEATER_NEEDS
        flags = GAS_VALID | HEAT_STABLE if hot else GAS_VALID
        field = (pressure << 4).to_bytes(3, "big") + (temperature << 4).to_bytes(3, "big")
        field += humidity.to_bytes(2, "big")
        self._memory[FIELD : FIELD + len(field)] = field
        self._memory[FIELD + 11] = gas >> 2
        self._memory[FIELD + 12] = (gas & 3) << 6 | flags | step
        self._memory[STATUS] = NEW_DATA
        self._memory[MODE] &= ~3 & 0xFF
