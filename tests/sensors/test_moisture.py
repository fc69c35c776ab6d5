"""Self-heating taken off, and the humidity that belongs to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sensors.moisture import absolute_humidity, ambient, humidity_at, saturation_pressure

temperatures = st.floats(min_value=-20, max_value=50)


@pytest.mark.parametrize(("celsius", "hpa"), [(0, 6.112), (20, 23.3), (40, 73.6)])
def test_saturation_pressure_is_the_tables(celsius: float, hpa: float) -> None:
    assert saturation_pressure(celsius) == pytest.approx(hpa, rel=0.005)


def test_saturated_air_at_20_degrees_holds_17_grams() -> None:
    assert absolute_humidity(20, 100) == pytest.approx(17.3, abs=0.1)


def test_cooler_air_is_relatively_moister() -> None:
    assert humidity_at(20, measured_at=23, humidity=45) == pytest.approx(54, abs=0.5)


@given(temperatures, temperatures, st.floats(min_value=0, max_value=100))
def test_the_water_stays_the_same_until_the_air_is_full(
    raw: float, air: float, humidity: float
) -> None:
    there = humidity_at(air, measured_at=raw, humidity=humidity)
    assert 0 <= there <= 100
    if there < 100:
        assert humidity_at(raw, measured_at=air, humidity=there) == pytest.approx(humidity)


@pytest.mark.parametrize(
    ("offset", "factor", "cpu", "air"),
    [
        (0, 0, 60, 25),
        (1.5, 0, 60, 23.5),
        (0.5, 0.1, 60, 21),
        (0.5, 0.1, None, 24.5),
        (0.5, 0.1, 20, 24.5),  # a processor colder than the sensor does not warm it
    ],
)
def test_own_heat_is_taken_off(offset: float, factor: float, cpu: float, air: float) -> None:
    assert ambient(25, offset, factor, cpu) == pytest.approx(air)
