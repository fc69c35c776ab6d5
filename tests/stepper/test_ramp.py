"""Ramps, limits and judgements, for everything that can be asked."""

from itertools import pairwise

import pytest
from bus.messages import StepperCommand
from hypothesis import given
from hypothesis import strategies as st
from stepper.judge import Judge, No
from stepper.lease import Lease
from stepper.ramp import Pace
from stepper.settings import Stepper
from stepper.travel import steps_of

speeds = st.floats(1, 2000)
paces = st.builds(
    lambda start, more, acceleration: Pace(start, start + more, acceleration),
    speeds,
    st.floats(0, 5000),
    st.floats(0.1, 1e5),
)
positions = st.integers(-5000, 5000)
limits = st.tuples(positions, positions).filter(lambda pair: pair[0] < pair[1])


def order(**about: object) -> StepperCommand:
    given = {"id": "i", "nonce": "n", "expires": 5, "operator": "ana", "action": "move"} | about
    return StepperCommand.model_validate(given)


@given(paces, st.integers(1, 3000))
def test_a_ramp_begins_and_ends_slowly_and_is_never_too_fast(pace: Pace, steps: int) -> None:
    intervals = list(pace.intervals(steps))
    assert len(intervals) == steps
    assert all(interval >= 1 / pace.top * (1 - 1e-9) for interval in intervals)
    for end in (intervals[0], intervals[-1]):
        assert end == pytest.approx(1 / pace.start)


@given(paces, st.integers(2, 3000))
def test_no_step_asks_for_more_than_the_acceleration(pace: Pace, steps: int) -> None:
    squares = [1 / interval**2 for interval in pace.intervals(steps)]
    for earlier, later in pairwise(squares):
        assert abs(later - earlier) <= 2 * pace.acceleration + 1e-6 * max(earlier, later)


@given(paces, st.integers(1, 1000))
def test_a_ramp_is_the_same_from_both_ends(pace: Pace, steps: int) -> None:
    intervals = list(pace.intervals(steps))
    assert intervals == intervals[::-1]


@given(limits, positions, st.integers(-10_000, 10_000), st.booleans())
def test_no_move_leads_outside_the_limits(
    limit: tuple[int, int], position: int, amount: int, is_absolute: bool
) -> None:
    axis = Stepper(minimum=limit[0], maximum=limit[1])
    command = order(**{"position" if is_absolute else "steps": amount})
    try:
        target = position + steps_of(command, axis, position)
    except No as no:
        wanted = amount if is_absolute else position + amount
        assert no.code == ("malformed" if wanted == position else "outside_limits")
        assert wanted == position or not limit[0] <= wanted <= limit[1]
    else:
        assert target == (amount if is_absolute else position + amount)
        # One who stands outside may come nearer, and never go farther away.
        assert min(limit[0], position) <= target <= max(limit[1], position)


@given(limits, positions, st.integers(1, 500), st.sampled_from(["open", "close"]))
def test_open_and_close_stay_within_the_limits(
    limit: tuple[int, int], position: int, travel: int, action: str
) -> None:
    axis = Stepper(minimum=limit[0], maximum=limit[1], travel=travel)
    try:
        steps = steps_of(order(action=action), axis, position)
    except No as no:
        assert no.code == "outside_limits"
    else:
        assert steps == (travel if action == "open" else -travel)


@given(st.floats(0, 100), st.floats(0.01, 60), st.floats(0.01, 60))
def test_age_is_counted_from_the_nonce(waited: float, expires: float, most: float) -> None:
    now = 1000.0
    judge = Judge(most, lambda: now)
    nonce = judge.issue("ana").nonce
    issued, now = now, now + waited
    command = order(nonce=nonce, expires=expires, action="enable")
    if now - issued > min(expires, most):
        with pytest.raises(No) as refused:
            judge.admit(command)
        assert refused.value.code == "expired"
    else:
        judge.admit(command)
    with pytest.raises(No) as repeated:
        judge.admit(command)
    assert repeated.value.code == "replayed"


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 30))))
def test_a_lease_has_one_holder(takes: list[tuple[str, float]]) -> None:
    now = 0.0
    lease = Lease(10, lambda: now)
    holder, until = None, 0.0
    for operator, wait in takes:
        now += wait
        is_free = holder is None or now >= until or holder == operator
        if is_free:
            lease.take(operator)
            holder, until = operator, now + 10
        else:
            with pytest.raises(No):
                lease.take(operator)
        assert lease.holder == holder
        assert lease.message() == lease.message(), "it is told on change, and has not changed"


@pytest.mark.parametrize(
    "wrong",
    [
        {"step_pin": 24},
        {"minimum": 10, "maximum": 10},
        {"rpm": 200},
        {"home_rpm": 90},
        {"beat": 0.6},
        {"trace": "/tmp/edges"},
    ],
)
def test_settings_that_contradict_each_other_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Stepper.model_validate(wrong)
