"""What the pins do when all is well."""

import pytest
from conftest import DEADLINE, wait_until
from motor import DIRECTION, ENABLE, STEP, Remote, Trace

from .conftest import Turn


def test_nothing_moves_at_start(stepper: Turn, remote: Remote, trace: Trace) -> None:
    stepper()
    status = remote.wait("the pins are open", error=None)
    assert not status.enabled and not status.moving and status.position is None
    assert status.simulated
    assert not trace.pulses()
    first = trace.edges()[0]
    assert (first.pin, first.level) == (ENABLE, 1)
    assert not trace.enabled


def test_open_and_close_move_by_the_travel(stepper: Turn, remote: Remote, trace: Trace) -> None:
    stepper(travel="40")
    remote.ready()
    assert remote.ask("open").accepted
    remote.wait("open", moving=False, position=40, outcome="done")
    assert len(trace.pulses()) == 40
    assert remote.ask("close").accepted
    remote.wait("closed", moving=False, position=0, outcome="done")
    assert len(trace.pulses()) == 80
    assert [edge.level for edge in trace.edges() if edge.pin == DIRECTION][-2:] == [1, 0]


def test_a_move_ramps_and_is_never_faster_than_asked(
    stepper: Turn, remote: Remote, trace: Trace
) -> None:
    stepper(start_rpm="60", max_rpm="240", acceleration="600")
    remote.ready()
    assert remote.ask("move", steps=300, rpm=180).accepted
    remote.wait("there", moving=False, position=300)
    gaps = trace.gaps()
    assert len(gaps) == 299
    assert min(gaps) >= 60 / 200 / 180 - 1e-4
    assert gaps[0] >= 60 / 200 / 60 - 1e-4
    assert gaps[-1] > min(gaps)


def test_each_pulse_is_as_wide_as_the_datasheet_wants(
    stepper: Turn, remote: Remote, trace: Trace
) -> None:
    stepper()
    remote.ready()
    assert remote.ask("move", position=20).accepted
    remote.wait("there", moving=False, position=20)
    steps = [edge for edge in trace.edges() if edge.pin == STEP]
    ups = [edge.at for edge in steps if edge.level]
    downs = [edge.at for edge in steps if not edge.level][-len(ups) :]
    assert all(down - up >= 1.9e-6 for up, down in zip(ups, downs, strict=True))


@pytest.mark.parametrize("at", ["120", "0", "-5"])
def test_homing_finds_the_switch(stepper: Turn, remote: Remote, at: str) -> None:
    stepper(switch_pin="17", simulated_at=at, home_rpm="60")
    assert remote.wait("the pins are open", error=None).homing == "switch"
    assert remote.ask("enable").accepted
    assert remote.ask("home").accepted
    status = remote.wait("at home", moving=False, position=0, outcome="done")
    assert status.at_switch


def test_a_switch_that_is_not_there_is_said(stepper: Turn, remote: Remote) -> None:
    stepper(switch_pin="17", simulated_at="120", home_steps="50", home_rpm="60")
    remote.wait("the pins are open", error=None)
    assert remote.ask("enable").accepted
    assert remote.ask("home").accepted
    remote.wait("given up", moving=False, position=None, outcome="no_switch")
    assert remote.ask("open").code == "position_unknown"


def test_the_switch_ends_a_movement_towards_it(stepper: Turn, remote: Remote) -> None:
    stepper(switch_pin="17", simulated_at="10", home_rpm="60", minimum="-500")
    remote.wait("the pins are open", error=None)
    assert remote.ask("enable").accepted
    assert remote.ask("home").accepted
    remote.wait("at home", moving=False, position=0)
    assert remote.ask("move", position=30).accepted
    remote.wait("there", moving=False, position=30)
    assert remote.ask("move", position=-100).accepted
    remote.wait("at the switch", moving=False, position=0, outcome="switch")


def test_the_position_is_kept_over_a_restart(stepper: Turn, remote: Remote) -> None:
    service = stepper()
    remote.ready()
    assert remote.ask("move", steps=25).accepted
    remote.wait("there", moving=False, position=25)
    assert service.terminate() == 0
    stepper()
    wait_until(remote.enables, "enabled again")
    assert remote.wait("it knows", enabled=True).position == 25


def test_an_orderly_end_in_the_middle_of_a_move_stops_and_knows_where(
    stepper: Turn, remote: Remote, trace: Trace
) -> None:
    service = stepper()
    remote.ready()
    assert remote.ask("move", steps=400).accepted
    wait_until(lambda: len(trace.pulses()) > 20, "it moves")
    assert service.terminate() == 0
    assert not trace.enabled
    stopped = len(trace.pulses())
    assert stopped < 400
    stepper()
    wait_until(remote.enables, "enabled again")
    assert remote.wait("it knows", enabled=True).position == stopped


def test_enabling_is_asked_for_first(stepper: Turn, remote: Remote, trace: Trace) -> None:
    stepper()
    remote.wait("the pins are open", error=None)
    assert remote.ask("open").code == "not_enabled"
    assert remote.ask("home").code == "not_enabled"
    assert remote.ask("enable").accepted
    assert trace.enabled
    assert remote.ask("open").code == "position_unknown"
    assert remote.ask("disable").accepted
    assert not trace.enabled
    assert not trace.pulses()


def test_it_is_not_run_until_somebody_has_wired_it(stepper: Turn) -> None:
    service = stepper(enabled="false")
    assert service.process.wait(DEADLINE) == 1
    assert "docs/wiring.md" in service.log()
