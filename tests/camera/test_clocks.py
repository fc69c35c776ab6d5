"""Capture times: in the station's time, never in the future, in the source's rhythm."""

import time

import pytest
from camera.clocks import ArrivalClock, KernelClock, SampleClock
from media.clock import boottime


def test_a_burst_keeps_the_rhythm_in_which_it_was_filmed() -> None:
    clock = ArrivalClock()
    clock.capture(0.0, 100.0)
    late = [clock.capture(pts, 100.5) for pts in (0.1, 0.2, 0.3)]
    assert late == pytest.approx([100.1, 100.2, 100.3], abs=0.002)


def test_nothing_is_captured_in_the_future() -> None:
    clock = ArrivalClock()
    clock.capture(0.0, 100.5)
    assert clock.capture(1.0, 100.8) == pytest.approx(100.8)


def test_a_source_that_begins_anew_is_followed() -> None:
    clock = ArrivalClock()
    clock.capture(5000.0, 100.0)
    assert clock.capture(0.0, 100.04) == pytest.approx(100.04)


def test_a_slow_clock_of_the_source_does_not_let_delay_grow() -> None:
    clock = ArrivalClock()
    lag = 0.0
    for second in range(3600):
        arrival = 100.0 + second
        lag = arrival - clock.capture(second * (1 - 100e-6), arrival)
    assert lag < 0.02


def test_the_kernels_time_is_used_where_it_makes_sense() -> None:
    clock = KernelClock()
    now = boottime()
    assert clock.capture(time.monotonic() - 0.05, now) == pytest.approx(now - 0.05, abs=0.01)
    assert clock.believed
    assert clock.capture(time.time(), now) <= now
    assert not clock.believed


@pytest.mark.parametrize("drift", [-100e-6, 0.0, 100e-6])
def test_a_sound_card_is_slaved_to_the_station(drift: float) -> None:
    clock = SampleClock()
    packet = 0.02 * (1 + drift)
    errors = []
    steps = []
    last = None
    for number in range(50 * 600):
        heard = 1000.0 + number * packet
        capture = clock.capture(heard + 0.02)
        errors.append(capture - heard)
        steps.append(capture - last if last else 0.02)
        last = capture
    assert max(map(abs, errors)) < 0.003
    assert max(abs(step - 0.02) for step in steps) < 20e-6


def test_late_packets_do_not_move_the_sound() -> None:
    clock = SampleClock()
    for number in range(1000):
        heard = 1000.0 + number * 0.02
        late = 0.08 if number % 3 else 0.0
        assert clock.capture(heard + 0.02 + late) == pytest.approx(heard, abs=0.001)


def test_lost_samples_make_the_time_jump() -> None:
    clock = SampleClock()
    capture = 0.0
    for number in range(2000):
        lost = 0.5 if number > 100 else 0.0
        capture = clock.capture(1000.02 + lost + number * 0.02)
    assert capture == pytest.approx(1000.5 + 1999 * 0.02, abs=0.001)
