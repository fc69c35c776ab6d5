"""From a record's fields to the message."""

import math
import time

import pytest
from bus.messages import CameraMetadata
from hypothesis import given
from hypothesis import strategies as st
from metadata.reading import MAX_LIST, MAX_TEXT, Now, measured_at, reading

NOW = Now(wall=1_800_000_000.0, boot=5000.0)
WRITTEN = NOW.wall - 0.5


def message(**fields: object) -> CameraMetadata:
    return reading(fields, WRITTEN, 1, NOW)


def test_known_and_unknown_fields_pass() -> None:
    read = message(Lux=297.4, AeState=2, AeLocked=True, ScalerCrop="(0, 0)/8x6", Gains=[1.2, 3])
    assert read.Lux == 297.4
    extra = {"AeState": 2, "AeLocked": True, "ScalerCrop": "(0, 0)/8x6", "Gains": [1.2, 3]}
    assert read.model_extra == extra


@pytest.mark.parametrize(
    "value",
    [
        *(math.nan, math.inf, 2**63, 1e300, None, {"a": 1}, ["a"], [math.nan], [[1]], [True]),
        *("x" * (MAX_TEXT + 1), "a\x1bb", [1] * (MAX_LIST + 1)),
    ],
)
def test_a_senseless_value_is_left_out(value: object) -> None:
    assert message(Odd=value, Lux=3).model_extra == {}
    assert message(Lux=value, AeState=2).Lux is None


@pytest.mark.parametrize("name", ["", "a b", "1a", "a" * 65, "a/b", "ä", "Lux\n"])
def test_a_senseless_name_is_left_out(name: str) -> None:
    assert reading({name: 1, "Lux": 3}, WRITTEN, 1, NOW).model_extra == {}


def test_a_known_field_that_is_out_of_bounds_is_left_out() -> None:
    read = message(ExposureTime=-1, AnalogueGain="4", SensorTimestamp=1.5, Lux=3)
    assert (read.ExposureTime, read.AnalogueGain, read.SensorTimestamp) == (None, None, None)
    assert read.Lux == 3


def test_a_record_cannot_set_what_the_contract_says_itself() -> None:
    read = message(timestamp=1.0, interval=99.0, simulated=True)
    assert (read.timestamp, read.interval, read.simulated) == (WRITTEN, 1, False)


def test_a_simulated_camera_is_marked() -> None:
    read = message(Simulated=True, Lux=3)
    assert read.simulated
    assert read.model_extra == {}
    assert not message(Simulated=False).simulated


def test_the_interval_is_never_shorter_than_a_frame() -> None:
    assert message(FrameDuration=33333).interval == 1
    assert message(FrameDuration=6_000_000).interval == 6


def test_the_time_is_the_sensors() -> None:
    boot = int((NOW.boot - 0.7) * 1e9)
    fields: dict[str, object] = {"SensorTimestamp": boot, "FrameWallClock": int(WRITTEN * 1e9)}
    assert measured_at(fields, WRITTEN, NOW) == pytest.approx(NOW.wall - 0.7, abs=1e-6)


def test_the_time_is_libcameras_when_the_sensors_is_of_another_boot() -> None:
    wall = int((NOW.wall - 0.8) * 1e9)
    fields: dict[str, object] = {"SensorTimestamp": 9_000_000_000_000, "FrameWallClock": wall}
    assert measured_at(fields, WRITTEN, NOW) == pytest.approx(NOW.wall - 0.8, abs=1e-6)


@pytest.mark.parametrize("fields", [{}, {"SensorTimestamp": 12, "FrameWallClock": 0}])
def test_the_time_is_that_of_writing_when_the_record_has_none(fields: dict[str, object]) -> None:
    assert measured_at(fields, WRITTEN, NOW) == WRITTEN


@pytest.mark.parametrize("written", [NOW.wall + 3600, 0.0, -5.0])
def test_a_time_of_writing_that_cannot_be_is_not_believed(written: float) -> None:
    assert reading({"Lux": 1}, written, 1, NOW).timestamp == NOW.wall


def test_the_clocks_are_those_of_the_machine() -> None:
    now = Now.read()
    assert abs(now.wall - time.time()) < 5
    assert abs(now.boot - time.clock_gettime(time.CLOCK_BOOTTIME)) < 5


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.text(max_size=8) | st.sampled_from([*CameraMetadata.model_fields, "Simulated"])


@given(st.dictionaries(NAMES, VALUES, max_size=12))
def test_whatever_a_record_says_the_message_is_valid(fields: dict[str, object]) -> None:
    read = reading(fields, WRITTEN, 1, NOW)
    assert CameraMetadata.model_validate_json(read.model_dump_json()) == read
