"""Who judges fragments lets the fresh pass, and always finds back."""

import time

import pytest
from media.arrival import Arrivals, GroupOfPictures, Verdict
from media.cmaf import FragmentHeader

STEP = 3000  # ticks of a frame at 30 a second


def frame(number: int, *, key: bool | None = None, base: int = 0) -> FragmentHeader:
    """Frame `number` of a stream with a key frame a second."""
    is_key = number % 30 == 0 if key is None else key
    return FragmentHeader(1, number % 2**32, base + number * STEP, STEP, 0.0, is_key, 140)


def moment(number: int, delay: float = 0.01) -> float:
    return 1000 + number / 30 + delay


def watch(arrivals: Arrivals, numbers: range, delay: float = 0.01) -> list[Verdict]:
    return [arrivals.observe(frame(n), moment(n, delay)) for n in numbers]


def test_a_steady_stream_passes_from_its_first_key_frame() -> None:
    verdicts = watch(Arrivals(), range(20, 100))
    assert [bool(verdict) for verdict in verdicts] == [False] * 10 + [True] * 70
    assert {verdict.reason for verdict in verdicts[:10]} == {"waiting"}
    assert {verdict.reason for verdict in verdicts[10:]} == {None}


def test_a_gap_drops_to_the_next_key_frame() -> None:
    arrivals = Arrivals()
    watch(arrivals, range(40))
    verdicts = watch(arrivals, range(41, 70))
    assert verdicts[0].reason == "gap"
    assert [verdict.passes for verdict in verdicts] == [False] * 19 + [True] * 10


def test_a_gap_that_ends_in_a_key_frame_drops_nothing() -> None:
    arrivals = Arrivals()
    watch(arrivals, range(40))
    assert all(watch(arrivals, range(60, 70)))


def test_the_sequence_number_wraps_without_a_gap() -> None:
    arrivals = Arrivals()
    numbers = range(2**32 - 3, 2**32 + 3)
    verdicts = [arrivals.observe(frame(n, key=n == numbers[0]), moment(n)) for n in numbers]
    assert all(verdicts)


def test_lateness_is_measured_against_the_quickest_and_whatever_the_clocks() -> None:
    arrivals = Arrivals()
    watch(arrivals, range(30), delay=5000.01)
    verdict = arrivals.observe(frame(30), moment(30, 5000.21))
    assert verdict.passes
    assert verdict.lateness == arrivals.lateness == pytest.approx(0.2)


def test_a_backlog_is_dropped_until_a_key_frame_is_in_time() -> None:
    arrivals = Arrivals(limit=0.5)
    watch(arrivals, range(60))
    stalled = moment(120)
    backlog = [arrivals.observe(frame(n), stalled) for n in range(60, 120)]
    assert [v.reason for v in backlog[:45]] == ["late"] * 45
    assert not any(backlog[:-1])
    assert {v.reason for v in backlog[46:]} == {"waiting"}
    verdicts = watch(arrivals, range(120, 150))
    assert all(verdicts)


def test_a_delay_that_stays_becomes_the_normal_one_after_the_window() -> None:
    arrivals = Arrivals(limit=0.5, window=2.0)
    watch(arrivals, range(60))
    verdicts = watch(arrivals, range(60, 300), delay=1.0)
    assert not any(verdicts[:30])
    assert all(verdicts[90:])


def test_a_time_that_steps_back_starts_afresh() -> None:
    arrivals = Arrivals()
    base = 90_000 * 86_400
    for n in range(60):
        assert arrivals.observe(frame(n, base=base), moment(n))
    verdicts = watch(arrivals, range(75, 120))
    assert {verdict.reason for verdict in verdicts[:15]} == {"waiting"}
    assert all(verdicts[15:])


def test_a_new_session_waits_for_its_first_key_frame() -> None:
    arrivals = Arrivals()
    watch(arrivals, range(40))
    arrivals.reset()
    assert arrivals.lateness == 0.0
    assert [v.passes for v in watch(arrivals, range(58, 62), delay=9.0)] == [False] * 2 + [True] * 2


def test_other_timescales_count_too() -> None:
    arrivals = Arrivals(timescale=48_000)
    for n in range(100):
        header = FragmentHeader(2, n, n * 960, 960, 0.0, True, 140)
        assert arrivals.observe(header, 5 + n * 0.02)
    assert arrivals.lateness == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("slope", [0.0, 1e-6, -1e-6])
def test_an_hour_of_frames_costs_little(slope: float) -> None:
    arrivals = Arrivals()
    frames = [(frame(n), moment(n, 1 + slope * n)) for n in range(36_000)]
    started = time.process_time()
    for header, now in frames:
        arrivals.observe(header, now)
    assert time.process_time() - started < 36_000 * 50e-6


def test_a_group_begins_with_its_key_frame() -> None:
    group = GroupOfPictures()
    group.add(b"before", key=False)
    assert list(group.frames) == []
    group.add(b"key", key=True)
    group.add(b"next", key=False)
    assert list(group.frames) == [b"key", b"next"]
    group.add(b"new key", key=True)
    assert list(group.frames) == [b"new key"]


@pytest.mark.parametrize("limits", [{"limit_bytes": 10}, {"limit_frames": 2}])
def test_a_group_over_its_limits_is_empty_until_the_next_key_frame(limits: dict[str, int]) -> None:
    group = GroupOfPictures(**limits)
    group.add(b"12345", key=True)
    group.add(b"12345", key=False)
    assert list(group.frames) == [b"12345", b"12345"]
    group.add(b"6", key=False)
    assert list(group.frames) == []
    group.add(b"7", key=False)
    assert list(group.frames) == []
    group.add(b"8", key=True)
    assert list(group.frames) == [b"8"]


def test_a_cleared_group_waits_for_a_key_frame() -> None:
    group = GroupOfPictures()
    group.add(b"1", key=True)
    group.clear()
    group.add(b"2", key=False)
    assert list(group.frames) == []
