"""Capture times stay by the arrivals, whatever a source says of the time."""

import statistics
from collections.abc import Callable
from random import Random

import pytest
from camera.timeline import Timeline

WAY = 0.05
"""Seconds that each picture is under way at least."""

CLOCKS: dict[str, Callable[[float], float]] = {
    "right": lambda t: t,
    "30 % fast": lambda t: t * 1.3,
    "30 % slow": lambda t: t * 0.7,
    "5 % fast": lambda t: t * 1.05,
    "1 % slow": lambda t: t * 0.99,
    "100 ppm slow": lambda t: t * 0.9999,
    "an hour forward": lambda t: t + 3600 * (t > 8),
    "an hour back": lambda t: t - 3600 * (t > 8),
    "half a second back": lambda t: t - 0.5 * (t > 8),
    "three seconds forward": lambda t: t + 3 * (t > 8),
    "an hour forward, each 5 s": lambda t: t + 3600 * (t // 5),
    "forth and back": lambda t: t + 3600 * (t // 5 % 2),
    "days back": lambda t: t - 1e6 * (t > 8),
}


def errors(
    timeline: Timeline, fps: float, clock: Callable[[float], float | None], jitter: float
) -> list[float]:
    """By how many seconds each capture is wrong, over 40 s of pictures."""
    random = Random(1)
    found = []
    last = 0.0
    for number in range(round(40 * fps)):
        true = 1000 + number / fps
        last = arrival = max(true + WAY + random.random() * jitter, last + 1e-4)
        seen = timeline.observe(clock(number / fps), arrival)
        found.append(timeline.capture(seen, arrival) - true - WAY)
    return found


@pytest.mark.parametrize("fps", [5, 25])
@pytest.mark.parametrize("name", CLOCKS)
def test_a_wrong_clock_is_no_more_than_its_jitter(name: str, fps: float) -> None:
    found = errors(Timeline(timed=True), fps, CLOCKS[name], 0.02)
    assert max(map(abs, found)) < 0.6
    later = found[round(4 * fps) :]
    assert max(map(abs, later)) < 0.05
    assert abs(statistics.median(later)) < 0.015


@pytest.mark.parametrize(("fps", "jitter"), [(1, 0.2), (5, 0.1), (15, 0.05), (30, 0.03)])
def test_jitter_is_levelled_out_where_there_are_no_times(fps: float, jitter: float) -> None:
    found = errors(Timeline(timed=False), fps, lambda _: None, jitter)
    later = found[round(4 * fps) :]
    assert max(map(abs, later)) < jitter
    assert statistics.pstdev(later) < jitter / 4


def test_what_a_network_held_up_keeps_the_times_at_which_it_was_filmed() -> None:
    timeline = Timeline(timed=True)
    for number in range(100):
        timeline.observe(number / 10, 1000 + number / 10)
    late = [timeline.observe(10 + number / 10, 1013.0) for number in range(30)]
    assert [timeline.capture(moment, 1013.0) for moment in late] == pytest.approx(
        [1010 + number / 10 for number in range(30)], abs=0.05
    )


def test_pictures_that_are_coded_in_another_order_keep_their_times() -> None:
    timeline = Timeline(timed=True, reorders=True)
    times = [0.0, 0.4, 0.2, 0.1, 0.3, 0.8, 0.6, 0.5, 0.7]
    seen = [timeline.observe(pts, 1000 + number / 10) for number, pts in enumerate(times)]
    assert seen == pytest.approx(times)


def test_what_waited_for_the_opening_is_spread_over_it() -> None:
    timeline = Timeline(timed=False)
    timeline.opening = True
    seen = [timeline.observe(None, 1000.0 + number / 1000) for number in range(10)]
    spread = timeline.opened(seen, 2.0)
    timeline.spread = True
    captures = [timeline.capture(moment, 1000.1) for moment in spread]
    assert captures == pytest.approx([998.2 + number / 5 for number in range(10)], abs=0.02)
