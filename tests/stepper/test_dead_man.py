"""The motor stops when anybody in the chain from the operator to the pins is lost."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from bus.messages import StepperRenew
from bus.topics import STEPPER_RENEW
from conftest import DEADLINE, Broker, Service, wait_until
from motor import ENABLE, Remote, Trace
from whole import is_alive

from .conftest import Turn


def indexer(service: Service) -> psutil.Process:
    children: list[psutil.Process] = psutil.Process(service.process.pid).children()
    return next(child for child in children if "stepper.indexer" in child.cmdline())


def moving(remote: Remote, trace: Trace) -> None:
    remote.ready()
    assert remote.ask("move", steps=900).accepted
    wait_until(lambda: len(trace.pulses()) > 10, "it moves")


def stands(trace: Trace) -> int:
    """Wait until ENABLE is off; steps that were made until then, after which there are none."""
    wait_until(lambda: not trace.enabled, "ENABLE is off")
    steps = len(trace.pulses())
    off = trace.edges()[-1].at
    wait_until(lambda: time.monotonic() > off + 0.3, "a while has passed")
    assert len(trace.pulses()) == steps < 900
    return steps


def test_an_operator_who_stays_sees_the_end(stepper: Turn, remote: Remote, trace: Trace) -> None:
    stepper()
    moving(remote, trace)
    remote.wait("there", moving=False, position=900, outcome="done")
    assert trace.enabled


def test_without_renewals_it_stops(stepper: Turn, remote: Remote, trace: Trace) -> None:
    stepper()
    moving(remote, trace)
    remote.holds = False
    status = remote.wait("stopped", moving=False, outcome="dead_man", enabled=False)
    assert status.position == stands(trace)


def test_renewals_of_another_or_of_old_beats_do_not_count(
    stepper: Turn, remote: Remote, trace: Trace, broker: Broker
) -> None:
    stepper()
    remote.ready()
    remote.holds = False
    with Remote(broker.port, "bert", "bert") as other:
        assert remote.ask("move", steps=900).accepted
        movement = remote.wait("it moves", moving=True).movement
        assert movement

        def insist() -> bool:
            for operator, beat in (("bert", remote.now.beat or 0), ("ana", 0), ("ana", 10**6)):
                renewal = StepperRenew(id=movement, operator=operator, beat=beat)
                other.run(other.bus.publish(STEPPER_RENEW, renewal))
            return not remote.now.moving

        wait_until(insist, "it stops nevertheless")
    assert remote.now.outcome == "dead_man"
    stands(trace)


def test_losing_the_broker_stops_it(
    stepper: Turn, remote: Remote, trace: Trace, broker: Broker
) -> None:
    service = stepper()
    moving(remote, trace)
    broker.stop()
    steps = stands(trace)
    broker.start()
    remote.wait("it is back", moving=False, outcome="dead_man", position=steps)
    assert service.process.poll() is None


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_losing_the_service_stops_it(
    stepper: Turn, remote: Remote, trace: Trace, number: signal.Signals
) -> None:
    service = stepper()
    moving(remote, trace)
    service.process.send_signal(number)
    stands(trace)
    service.kill()
    stepper()
    wait_until(remote.enables, "it is back")
    assert remote.wait("it is enabled", enabled=True).position is None
    assert remote.ask("open").code == "position_unknown"
    assert remote.ask("home").accepted


def test_the_guard_ends_when_it_has_done_its_work(
    stepper: Turn, remote: Remote, trace: Trace
) -> None:
    service = stepper()
    moving(remote, trace)
    guard = indexer(service)
    service.kill()
    stands(trace)
    wait_until(lambda: not is_alive(guard), "the guard ends, too")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_losing_the_indexer_switches_enable_off(
    stepper: Turn, remote: Remote, trace: Trace, number: signal.Signals
) -> None:
    service = stepper(retry="0.1")
    moving(remote, trace)
    indexer(service).send_signal(number)
    stands(trace)
    # The last one but for a new indexer, which may be there already.
    assert service.process.pid in {edge.pid for edge in trace.edges() if edge.pin == ENABLE}
    status = remote.wait("a new one is there", error=None, moving=False, outcome="fault")
    assert status.position is None
    assert remote.ask("enable").accepted


def test_an_indexer_that_is_lost_with_an_order_ends_the_movement(
    stepper: Turn, remote: Remote, trace: Trace
) -> None:
    service = stepper(retry="0.1", silence="3")
    remote.ready()
    indexer(service).suspend()
    command = remote.command("move", steps=900)
    remote.send(command)
    assert remote.result(command.id).accepted, "nobody has missed the indexer yet"
    status = remote.wait("a new one is there", error=None, moving=False, outcome="fault")
    assert (status.last, status.position, stands(trace)) == (command.id, None, 0)
    assert remote.ask("enable").accepted


def test_an_order_that_waits_for_the_disk_is_not_lost_with_the_indexer(
    stepper: Turn, remote: Remote, tmp_path: Path
) -> None:
    service = stepper()
    remote.ready()
    # Whoever opens it to write waits for a reader.
    slow = tmp_path / "state" / "stepper.new"
    os.mkfifo(slow)
    command = remote.command("move", steps=900)
    remote.send(command)
    indexer(service).kill()
    wait_until(lambda: remote.now.error, "the indexer is missed")
    reader = os.open(slow, os.O_RDONLY | os.O_NONBLOCK)
    assert remote.result(command.id).code == "fault"
    assert remote.wait("it has ended", moving=False).position == 0
    os.close(reader)


def test_the_indexer_is_no_child_that_a_group_kill_reaches(stepper: Turn, remote: Remote) -> None:
    service = stepper()
    remote.wait("the pins are open", error=None)
    assert os.getpgid(indexer(service).pid) != os.getpgid(service.process.pid)
    assert os.getsid(indexer(service).pid) != os.getsid(service.process.pid)


def test_a_supervisor_can_release_it(stepper: Turn, remote: Remote, trace: Trace) -> None:
    service = stepper()
    moving(remote, trace)
    guard = indexer(service)
    environment = psutil.Process(service.process.pid).environ()
    guard.suspend()
    service.process.kill()
    guard.kill()
    service.process.wait(DEADLINE)
    assert trace.enabled, "nobody was left who could have done it"
    subprocess.run([sys.executable, "-m", "stepper.release"], env=environment, check=True)
    assert not trace.enabled


def test_losing_the_position_file_does_not_lose_the_service(
    stepper: Turn, remote: Remote, tmp_path: Path
) -> None:
    state = tmp_path / "state" / "stepper.json"
    state.write_text('{"position": "here"}')
    stepper()
    assert remote.wait("the pins are open", error=None).position is None


def test_stop_needs_neither_nonce_nor_lease(stepper: Turn, remote: Remote, trace: Trace) -> None:
    stepper()
    moving(remote, trace)
    assert remote.ask("stop", nonce="none", operator="bert").accepted
    remote.wait("stopped", moving=False, outcome="stopped", enabled=False)
    stands(trace)
