"""Opens the I²C bus: the machine's, or a simulated one with a BME680 on it."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

from .settings import Bme680
from .source import Fault

if TYPE_CHECKING:
    from .chip import I2c


def opener(settings: Bme680) -> "Callable[[], I2c]":
    """A function that opens the configured bus; the simulated one is always the same."""
    if settings.driver == "simulated":
        from .registers import SimulatedBus
        from .weather import weather

        bus = SimulatedBus(weather, settings.script)
        return lambda: bus
    return functools.partial(open_bus, settings.bus)


def open_bus(number: int) -> "I2c":
    """The machine's bus `/dev/i2c-<number>`; raises Fault with what to do."""
    from smbus2 import SMBus

    device = f"/dev/i2c-{number}"
    try:
        return SMBus(device)
    except FileNotFoundError:
        raise Fault(
            f"there is no {device}: switch I²C on (`raspi-config nonint do_i2c 0`) or name the "
            "right sensors.bme680.bus; without a sensor set sensors.bme680.driver to off"
        ) from None
    except PermissionError:
        raise Fault(
            f"no permission for {device}: add this user to the group i2c and log in again"
        ) from None
