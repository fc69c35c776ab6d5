"""RMS and peak of samples."""

import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sensors.level import FLOOR, Level, Meter


def samples(values: list[int]) -> bytes:
    return array("h", values).tobytes()


def sine(amplitude: float, count: int = 48_000) -> bytes:
    return samples([round(amplitude * math.sin(math.tau * n / 48)) for n in range(count)])


def level(*pieces: bytes) -> Level:
    meter = Meter()
    for piece in pieces:
        meter.add(piece)
    found = meter.take()
    assert found is not None
    return found


def test_a_full_scale_sine_is_minus_3_dbfs() -> None:
    found = level(sine(32767))
    assert found.rms == pytest.approx(-3.01, abs=0.005)
    assert found.peak == pytest.approx(0, abs=0.001)


def test_half_the_amplitude_is_6_decibels_less() -> None:
    assert level(sine(16384)).rms == pytest.approx(-9.03, abs=0.005)


def test_silence_is_the_floor() -> None:
    assert level(samples([0] * 100))[1:] == (FLOOR, FLOOR)


def test_the_lowest_sample_is_full_scale() -> None:
    assert level(samples([-32768, 0])).peak == 0


def test_nothing_heard_is_no_level() -> None:
    meter = Meter()
    assert meter.take() is None
    meter.add(b"\x01")
    assert meter.take() is None
    meter.add(samples([5]))
    assert meter.take() is not None
    assert meter.take() is None, "each level is of its own stretch"


@given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=400), st.integers(1, 7))
def test_pieces_do_not_matter(values: list[int], size: int) -> None:
    data = samples(values)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert level(*pieces)[1:] == pytest.approx(level(data)[1:])


@given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=400))
def test_rms_is_never_above_the_peak(values: list[int]) -> None:
    found = level(samples(values))
    assert FLOOR <= found.rms <= found.peak + 1e-9 <= 1e-8


def test_half_a_sample_of_a_dead_source_is_not_mixed_into_the_next() -> None:
    meter = Meter()
    meter.add(b"\x7f")
    meter.restart()
    meter.add(samples([1]))
    found = meter.take()
    assert found is not None
    assert found.peak == pytest.approx(20 * math.log10(1 / 32768))
