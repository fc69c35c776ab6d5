"""The station's clock never steps, and finds its way to the wall clock."""

import time

from media import clock


def test_boottime_is_the_clock_that_counts_through_suspend() -> None:
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert before <= clock.boottime() <= time.clock_gettime(time.CLOCK_BOOTTIME)


def test_a_moment_since_boot_becomes_unix_time() -> None:
    before = time.time()
    moment = clock.to_wall(clock.boottime())
    assert before - 0.01 <= moment <= time.time() + 0.01
    assert abs(clock.to_wall(100.0) - clock.wall_offset() - 100.0) < 0.01


def test_ticks_are_the_nearest_whole_number() -> None:
    assert clock.ticks(1.0, clock.VIDEO_TIMESCALE) == 90_000
    assert clock.ticks(1 / 30, clock.VIDEO_TIMESCALE) == 3_000
    assert clock.ticks(0.02, clock.AUDIO_TIMESCALE) == 960
    assert clock.ticks(0.99999, 10) == 10
