"""The BME680 through its real driver library, on a bus that answers at register level."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from sensors import chip, i2c
from sensors.registers import SimulatedBus
from sensors.settings import Bme680, Step
from sensors.source import Fault
from sensors.weather import Air, weather

ROOM = Air(temperature=21.5, humidity=48, pressure=1012, gas_resistance=120_000)
QUICK = Bme680(driver="simulated", heater_ms=20)


def still(air: Air) -> Callable[[float], Air]:
    return lambda _now: air


def sensor(*script: Step, air: Air = ROOM) -> chip.Chip:
    """A sensor whose script begins after the measurement that opening it takes."""
    return chip.find(SimulatedBus(still(air), ("ok", *script)), QUICK)


def close_to(found: chip.Measurement, air: Air) -> bool:
    assert found.gas_resistance is not None
    # The library reckons gas in integers: up to one step of its tables away.
    assert found.gas_resistance == pytest.approx(air.gas_resistance, rel=0.02)
    return found[:3] == pytest.approx(tuple(air)[:3], rel=0.01, abs=0.05)


@limits(max_examples=25)
@given(
    st.builds(
        Air,
        temperature=st.floats(-20, 60),
        humidity=st.floats(5, 95),
        pressure=st.floats(500, 1080),
        gas_resistance=st.floats(1_000, 10_000_000),
    )
)
def test_the_library_reads_the_air_around_the_simulated_chip(air: Air) -> None:
    assert close_to(sensor(air=air).measure(), air)


def test_the_made_up_weather_stays_what_a_room_can_be() -> None:
    for hour in range(0, 24 * 10):
        air = weather(1_800_000_000 + hour * 3600)
        assert 15 <= air.temperature <= 27
        assert 35 <= air.humidity <= 65
        assert 1000 <= air.pressure <= 1025
        assert 30_000 <= air.gas_resistance <= 200_000


def test_a_reading_is_the_one_ordered_and_not_the_one_before() -> None:
    airs = [ROOM._replace(temperature=float(celsius)) for celsius in (10, 20, 30)]
    played = iter(airs)
    bus = SimulatedBus(lambda _now: next(played))
    found = chip.find(bus, Bme680(heater_ms=150))  # longer than the library waits by itself
    assert found.measure().temperature == pytest.approx(20, abs=0.1)
    assert found.measure().temperature == pytest.approx(30, abs=0.1)


def test_gas_is_unknown_while_the_heater_is_not_stable() -> None:
    found = sensor("cold")
    cold, hot = found.measure(), found.measure()
    assert cold.gas_resistance is None
    assert cold.temperature == hot.temperature
    assert close_to(hot, ROOM)


def test_heating_too_short_is_not_taken_for_a_gas_reading() -> None:
    found = chip.find(SimulatedBus(still(ROOM)), Bme680(heater_ms=5))
    assert found.measure().gas_resistance is None


def test_a_measurement_that_never_ends_is_given_up() -> None:
    found = sensor("stuck")
    with pytest.raises(TimeoutError):
        found.measure()


def test_a_chip_that_falls_silent_is_an_oserror_and_is_found_again() -> None:
    bus = SimulatedBus(still(ROOM), ("ok", "ok", "silent"))
    found = chip.find(bus, QUICK)
    found.measure()
    with pytest.raises(OSError, match="acknowledgement"):
        found.measure()
    assert close_to(chip.find(bus, QUICK).measure(), ROOM)


@pytest.mark.parametrize("address", [0x76, 0x77])
def test_the_sensor_is_found_at_either_address(address: int) -> None:
    bus = SimulatedBus(still(ROOM), address=address)
    assert close_to(chip.find(bus, QUICK).measure(), ROOM)


def test_only_the_configured_address_is_asked() -> None:
    bus = SimulatedBus(still(ROOM), address=0x77)
    with pytest.raises(Fault, match=r"at 0x76 on I²C bus 1.*i2cdetect -y 1"):
        chip.find(bus, Bme680(address="0x76"))


class Stranger(SimulatedBus):
    """Another chip at the same address."""

    def __init__(self, chip_id: int) -> None:
        super().__init__(still(ROOM))
        self._memory[0xD0] = chip_id


@pytest.mark.parametrize(
    ("chip_id", "name"), [(0x60, "a BME280"), (0x58, "a BMP280"), (0x42, "id 0x42")]
)
def test_another_chip_at_the_address_is_named(chip_id: int, name: str) -> None:
    with pytest.raises(Fault, match=f"no BME680 answers.*{name}"):
        chip.find(Stranger(chip_id), QUICK)


class Claimed(SimulatedBus):
    """A bus on which the kernel's own driver holds the chip."""

    def read_byte_data(self, i2c_addr: int, register: int) -> int:
        raise OSError(16, "Device or resource busy")


def test_a_kernel_driver_on_the_chip_is_named() -> None:
    with pytest.raises(Fault, match="kernel driver holds 0x76"):
        chip.find(Claimed(still(ROOM)), QUICK)


class Torn(SimulatedBus):
    """A bus on which every calibration register reads as zero, as with a loose wire."""

    def read_i2c_block_data(self, i2c_addr: int, register: int, length: int) -> list[int]:
        found = super().read_i2c_block_data(i2c_addr, register, length)
        return [0] * length if register in (0x89, 0xE1) else found


def test_nonsense_from_the_chip_is_a_fault() -> None:
    with pytest.raises(Fault, match="check its wiring"):
        chip.find(Torn(still(ROOM)), QUICK).measure()


def test_a_machine_without_an_i2c_bus_is_told_how_to_get_one() -> None:
    with pytest.raises(Fault, match=r"no /dev/i2c-99.*raspi-config"):
        i2c.opener(Bme680(bus=99))()
