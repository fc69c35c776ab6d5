"""The air quality index: its sign, its learning, its patience."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sensors.air import Known, Verdict, co2_equivalent, dry, judge, learn
from sensors.settings import Iaq

IAQ = Iaq()
WARM = Known(baseline=150_000, warm=IAQ.warmup, learned=IAQ.burn_in)

resistances = st.floats(min_value=100, max_value=10_000_000)
seconds = st.floats(min_value=0, max_value=IAQ.pause)
knowns = st.builds(
    Known,
    baseline=resistances,
    warm=st.floats(min_value=IAQ.warmup, max_value=1e6),
    learned=st.floats(min_value=0, max_value=1e6),
)


def index(known: Known, resistance: float) -> float:
    iaq = judge(known, resistance, IAQ).iaq
    assert iaq is not None
    return iaq


@pytest.mark.parametrize(
    ("ohms", "iaq"),
    [(300_000, 0), (150_000, 25), (75_000, 100), (37_500, 175), (18_750, 250), (1_000, 500)],
)
def test_halving_the_resistance_adds_75_points(ohms: float, iaq: float) -> None:
    assert index(WARM, ohms) == pytest.approx(iaq)


@given(knowns, resistances, resistances, seconds)
def test_air_is_worse_when_resistance_falls(
    known: Known, one: float, other: float, since: float
) -> None:
    low, high = sorted((one, other))
    worse, better = (index(learn(known, ohms, since, IAQ), ohms) for ohms in (low, high))
    assert 0 <= better <= worse + 1e-9
    assert worse <= 500


@given(knowns, resistances, seconds)
def test_baseline_moves_towards_the_air_and_never_past_it(
    known: Known, ohms: float, since: float
) -> None:
    assert known.baseline is not None
    after = learn(known, ohms, since, IAQ).baseline
    assert after is not None
    low, high = sorted((known.baseline, ohms))
    assert low * (1 - 1e-9) <= after <= high * (1 + 1e-9)


def hours_until(share: float, ohms: float) -> float:
    """How long the baseline takes to move by a share of the logarithmic way to `ohms`."""
    known, hours = WARM, 0.0
    assert known.baseline is not None
    target = math.log(known.baseline) + share * math.log(ohms / known.baseline)
    while abs(math.log(known.baseline or 0) - target) > 0.01:
        known, hours = learn(known, ohms, 60, IAQ), hours + 1 / 60
        assert hours < 1000
    return hours


def test_baseline_follows_cleaner_air_in_minutes_and_worse_air_in_days() -> None:
    assert hours_until(0.63, 300_000) < 0.5
    assert hours_until(0.63, 75_000) > 6 * 24


def test_no_index_before_the_sensor_is_warm() -> None:
    known, heated = Known(), 0
    while known.warm < IAQ.warmup - 10:
        known = learn(known, 90_000, 10, IAQ)
        heated += 10
        assert judge(known, 90_000, IAQ) == Verdict(iaq=None, accuracy=0, co2_equivalent=None)
    known = learn(known, 100_000, 10, IAQ)
    assert heated + 10 == IAQ.warmup
    assert judge(known, 100_000, IAQ).iaq == 25


def test_accuracy_shows_the_burn_in() -> None:
    known = Known(baseline=100_000, warm=IAQ.warmup)
    seen = []
    for _ in range(int(IAQ.burn_in / IAQ.pause) + 1):
        seen.append(judge(known, 100_000, IAQ).accuracy)
        known = learn(known, 100_000, IAQ.pause, IAQ)
    assert seen == sorted(seen)
    assert set(seen) == {1, 2, 3}
    assert seen.index(2) * IAQ.pause == IAQ.burn_in / 8


def test_a_long_pause_needs_a_new_warm_up_and_keeps_the_baseline() -> None:
    known = learn(WARM, 10, IAQ.pause + 1, IAQ)
    assert known.baseline == WARM.baseline
    assert judge(known, 10, IAQ).iaq is None


def test_moisture_alone_does_not_make_the_air_worse() -> None:
    factor = IAQ.humidity_factor
    moist = 100_000 * math.exp(-factor * 5)  # what 5 g/m³ more of water do to the layer
    assert dry(moist, 15, factor) == pytest.approx(dry(100_000, 10, factor))


@given(st.floats(min_value=0, max_value=499), st.floats(min_value=0, max_value=1))
def test_co2_estimate_rises_with_the_index(iaq: float, more: float) -> None:
    assert 400 <= co2_equivalent(iaq) <= co2_equivalent(iaq + more) <= 5000


def test_co2_estimate_meets_its_guide_values() -> None:
    assert [co2_equivalent(iaq) for iaq in (0, 100, 200, 500)] == [400, 1000, 2000, 5000]
