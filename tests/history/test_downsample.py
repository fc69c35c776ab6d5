"""Whatever was measured: what a chart gets of it is true."""

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bus.messages import AudioLevel
from bus.points import WINDOW, point
from bus.topics import AUDIO
from history import downsample, retention, schema
from history.metric import read
from history.settings import History
from history.sqlite import query, sources
from history.store import Heard, Store
from hypothesis import given, settings
from hypothesis import strategies as st

BEGIN = 1_764_000_000
METRIC = read("audio/level:level_db", "home")

moments = st.integers(0, 40 * WINDOW * 1000)
"""ms after BEGIN."""
levels = st.floats(-100, 200).map(lambda level: float(f"{level:.6g}"))
heard = st.dictionaries(moments, levels, min_size=1, max_size=60)


@contextmanager
def store_of(readings: dict[int, float], interval: float = 1) -> Iterator[Store]:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder), 10)
        store.open()
        store.add(Heard(point(AUDIO, {}, level(*one)), interval) for one in readings.items())
        yield store
        store.close()


def level(moment: int, value: float) -> AudioLevel:
    timestamp = BEGIN + moment / 1000
    return AudioLevel(timestamp=timestamp, level_db=value, level_dbfs=-50, peak_dbfs=-40)


@settings(max_examples=60)
@given(
    heard, moments, moments, st.integers(2, 2000), st.sampled_from(["memory", "disk", "windows"])
)
def test_nothing_is_lost_or_made_up(
    readings: dict[int, float], one: int, other: int, points: int, where: str
) -> None:
    begin, end = sorted((one, other))
    with store_of(readings) as store:
        if where != "memory":
            store.flush()
        if where == "windows":
            retention.roll(store, (BEGIN + max(readings) // 2) * 1000)
        series = query(store, METRIC, BEGIN + begin / 1000, BEGIN + (end + 1) / 1000, points)
    wide = series.step >= WINDOW
    width = round(series.step * 1000)
    if wide:
        # Windows are whole: those whose middle is inside, and readings where there are none yet.
        within = {m: v for m, v in readings.items() if begin - width < m <= end + width}
    else:
        within = {m: v for m, v in readings.items() if begin <= m <= end}
        assert {v for v in series.mean if v is not None} or not within
    least = [value for value in series.min if value is not None]
    most = [value for value in series.max if value is not None]
    if least and most:
        assert min(within.values()) <= min(least) and max(most) <= max(within.values())
    if not wide and within:
        assert min(least) == min(within.values()) and max(most) == max(within.values())
    assert series.timestamps == sorted(set(series.timestamps))
    assert len(least) <= points
    for mean, low, high in zip(series.mean, series.min, series.max, strict=True):
        if mean is not None and low is not None and high is not None:
            assert low - 1e-4 <= mean <= high + 1e-4


@given(
    st.lists(st.integers(0, 500), unique=True, min_size=1),
    st.sampled_from(downsample.WIDTHS),
    st.floats(0.05, 5000),
)
def test_a_gap_stands_exactly_where_nothing_came_for_three_intervals(
    numbers: list[int], width: int, interval: float
) -> None:
    buckets = [downsample.Bucket(n, (n + 0.5) * width, 1, 1, 1) for n in sorted(numbers)]
    series = downsample.series(buckets, width, interval)
    expected = sum(
        after.number > before.number + 1
        and after.moment - before.moment > downsample.MISSED * interval * 1000
        for before, after in itertools.pairwise(buckets)
    )
    assert series.mean.count(None) == series.min.count(None) == expected
    assert series.timestamps == sorted(series.timestamps)
    assert series.mean[0] is not None and series.mean[-1] is not None


@given(st.integers(1, 10**12), st.integers(2, 5000))
def test_buckets_are_no_more_than_asked_for_and_not_far_fewer(length: int, points: int) -> None:
    width = downsample.width(0, length, points)
    assert length / width <= points - 1 or points == 1
    assert width == downsample.WIDTHS[0] or length / width >= (points - 1) / 6 - 1
    assert width < schema.WIDE or width % schema.WIDE == 0


def test_old_readings_go_and_their_windows_stay() -> None:
    now = BEGIN + 40 * 86_400
    old = {n * 10_000: float(n % 7) for n in range(60)}
    with store_of(old, interval=10) as store:
        store.flush()
        retention.roll(store, now * 1000)
        retention.forget(store, "", (BEGIN + 400) * 1000)
        left = query(store, METRIC, BEGIN + 301, BEGIN + 600, 2000)
        assert left.step < WINDOW and len(left.mean) == 29
        whole = query(store, METRIC, BEGIN, BEGIN + 600, 2000)
        assert whole.step == WINDOW
        assert (whole.min, whole.max) == ([0, 0], [6, 6])
        assert whole.mean == pytest.approx([2.9, 3.0], abs=0.1)
        (source,) = sources(store, "home")
        assert source.first == BEGIN + 300


def test_a_reading_that_comes_late_is_in_its_window() -> None:
    with store_of({0: 1.0, 1000: 3.0}) as store:
        store.flush()
        retention.roll(store, (BEGIN + 3600) * 1000)
        store.add([Heard(point(AUDIO, {}, level(2000, 8.0)), 1.0)])
        for _ in range(2):
            series = query(store, METRIC, BEGIN, BEGIN + 10 * WINDOW, 5)
            assert (series.mean, series.max) == ([4], [8])
            store.flush()
            retention.roll(store, (BEGIN + 3600) * 1000)


def test_the_oldest_readings_make_room(tmp_path: Path) -> None:
    store = Store(tmp_path, 10)
    store.open()
    end = 5 * 86_400
    for begin in range(0, end, 86_400):
        moments = range(begin * 1000, (begin + 86_400) * 1000, 2000)
        store.add(Heard(point(AUDIO, {}, level(m, m % 90)), 1.0) for m in moments)
        store.flush()
    retention.roll(store, (BEGIN + end) * 1000)
    before = retention.size(store)
    limits = History(max_bytes=before // 2, days=36_500, long_days=36_500)
    retention.tidy(store, limits)
    assert before // 4 < retention.size(store) <= before // 2
    whole = query(store, METRIC, BEGIN, BEGIN + end, 5000)
    assert len(whole.mean) == end / WINDOW
    (source,) = sources(store, "home")
    assert source.last == BEGIN + end - 2 and source.first and source.first > BEGIN + 86_400
    store.close()
