"""The BME680 through its driver library; imported only where there is a chip to talk to.

Source of bits and ranges: datasheet BST-BME680-DS001.
"""

import errno
import time
from typing import NamedTuple, Protocol

import bme680
from bme680 import constants

from .settings import Bme680
from .source import Fault

POLL = 0.01
"""Seconds between two looks at a running measurement."""

GRACE = 0.5
"""Seconds a measurement may take beyond its heating; temperature and the rest take 0.04."""

RELATIVES = {0x58: "a BMP280", 0x60: "a BME280"}
"""Chip ids of sensors without a gas layer that sit at the same addresses."""


class I2c(Protocol):
    """What is needed of an I²C bus, as smbus2 has it; every call raises OSError."""

    def read_byte_data(self, i2c_addr: int, register: int) -> int: ...
    def write_byte_data(self, i2c_addr: int, register: int, value: int) -> None: ...
    def read_i2c_block_data(self, i2c_addr: int, register: int, length: int) -> list[int]: ...
    def close(self) -> None: ...


class Measurement(NamedTuple):
    """One reading as the sensor says it."""

    temperature: float
    """°C"""
    humidity: float
    """%RH"""
    pressure: float
    """hPa"""
    gas_resistance: float | None
    """Ω; None while the heater is not stable."""


class Chip(bme680.BME680):  # type: ignore[misc]
    """The library's sensor, made to wait for the measurement that it has ordered.

    The library looks for data at once and for 100 ms, so with a longer heating it returns the
    measurement before, which may be hours old.
    """

    patience = GRACE

    def set_power_mode(self, value: int, blocking: bool = True) -> None:
        """Set the mode; raises TimeoutError when an ordered measurement does not end."""
        super().set_power_mode(value, blocking)
        if value == constants.FORCED_MODE:
            deadline = time.monotonic() + self.patience
            while self.get_power_mode() & constants.MODE_MSK:
                if time.monotonic() > deadline:
                    raise TimeoutError(errno.ETIMEDOUT, "the measurement does not end")
                time.sleep(POLL)

    def measure(self) -> Measurement:
        """Measure once (takes the heating time and about 40 ms); raises OSError."""
        if not self.get_sensor_data():
            raise Fault("the BME680 gives no new data: disconnect it from power for a moment")
        data = self.data
        gas = data.heat_stable and data.status & constants.GASM_VALID_MSK
        found = Measurement(
            data.temperature, data.humidity, data.pressure, data.gas_resistance if gas else None
        )
        if not (-40 <= found.temperature <= 85 and 300 <= found.pressure <= 1100):
            raise Fault(
                f"the BME680 says {found.temperature:.0f} °C and {found.pressure:.0f} hPa, which "
                "it cannot measure: check its wiring and power"
            )
        return found


def find(bus: I2c, settings: Bme680) -> Chip:
    """The sensor on a bus, set up; raises Fault with what to do when there is none."""
    strangers = []
    for address in addresses(settings):
        try:
            chip_id = bus.read_byte_data(address, constants.CHIP_ID_ADDR)
        except OSError as error:
            if error.errno == errno.EBUSY:
                strangers.append(f"a kernel driver holds {address:#x} (rmmod bme680_i2c)")
            continue
        if chip_id == constants.CHIP_ID:
            return set_up(bus, address, settings)
        name = RELATIVES.get(chip_id, f"a chip with id {chip_id:#04x}")
        strangers.append(f"{name} answers at {address:#x}")
    raise Fault("; ".join([absent(settings), *strangers]))


def addresses(settings: Bme680) -> tuple[int, ...]:
    """Where to look for the sensor."""
    if settings.address == "auto":
        return constants.I2C_ADDR_PRIMARY, constants.I2C_ADDR_SECONDARY
    return (int(settings.address, 16),)


def absent(settings: Bme680) -> str:
    """What to do when the sensor does not answer, at first or any more."""
    where = " or ".join(f"{address:#x}" for address in addresses(settings))
    return (
        f"no BME680 answers at {where} on I²C bus {settings.bus}: check its wiring "
        f"(3.3 V, GND, SDA, SCL; `i2cdetect -y {settings.bus}` lists what answers)"
    )


def set_up(bus: I2c, address: int, settings: Bme680) -> Chip:
    """Calibration read, heater set; raises Fault when the chip's answers make no sense."""
    try:
        chip = Chip(address, bus)
    except (RuntimeError, ZeroDivisionError):
        raise Fault(absent(settings)) from None
    chip.set_gas_heater_profile(settings.heater_temperature, settings.heater_ms)
    chip.select_gas_heater_profile(0)
    chip.patience = settings.heater_ms / 1000 + GRACE
    return chip
