"""Commands that must not be obeyed, each with a result that says why."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from typing import Any

import paho.mqtt.publish
import pytest
from bus.messages import StepperCommand
from bus.topics import STEPPER_COMMAND
from conftest import Broker, wait_until
from motor import Remote, Trace
from paho.mqtt.enums import MQTTProtocolVersion

from .conftest import Turn

RACERS = 1000


def throw(broker: Broker, payload: bytes, retain: bool = False) -> None:
    """Publish bytes on the command topic, as a stranger to the contract would."""
    paho.mqtt.publish.single(
        STEPPER_COMMAND.path,
        payload,
        qos=1,
        retain=retain,
        port=broker.port,
        protocol=MQTTProtocolVersion.MQTTv5,
    )


def test_a_command_counts_once(stepper: Turn, remote: Remote, trace: Trace) -> None:
    stepper()
    remote.ready()
    command = remote.command("move", steps=5)
    remote.send(command)
    assert remote.result(command.id).accepted
    remote.wait("there", moving=False, position=5)
    remote.results.clear()
    remote.send(command)
    assert remote.result(command.id).code == "replayed"
    again = remote.command("move", steps=5, nonce=command.nonce)
    remote.send(again)
    assert remote.result(again.id).code == "replayed"
    assert len(trace.pulses()) == 5


def test_a_nonce_is_issued_by_the_stepper_to_one_operator(stepper: Turn, remote: Remote) -> None:
    stepper()
    remote.wait("the pins are open", error=None)
    assert remote.ask("enable", nonce="invented").code == "unknown_nonce"
    of_another = remote.nonce("bert").nonce
    assert remote.ask("enable", nonce=of_another).code == "unknown_nonce"
    assert not remote.now.enabled


def test_an_old_command_is_expired_whatever_the_clocks_say(stepper: Turn, remote: Remote) -> None:
    stepper(nonce="0.3")
    remote.wait("the pins are open", error=None)
    own = remote.command("enable", expires=0.05)
    general = remote.command("enable", expires=50)
    began = time.monotonic()
    wait_until(lambda: time.monotonic() > began + 0.4, "time has passed")
    for command in (own, general):
        remote.send(command)
        assert remote.result(command.id).code == "expired"
    assert not remote.now.enabled


def test_a_retained_command_is_refused_live_and_after_a_restart(
    stepper: Turn, remote: Remote, broker: Broker, trace: Trace
) -> None:
    service = stepper()
    remote.ready()
    command = remote.command("move", steps=50)
    throw(broker, command.model_dump_json().encode(), retain=True)
    result = remote.result(command.id)
    assert result.code == "malformed" and "retained" in str(result.reason)
    remote.results.clear()
    assert service.terminate() == 0
    stepper()
    assert "retained" in str(remote.result(command.id).reason)
    wait_until(remote.enables, "it works")
    assert not trace.pulses()


@pytest.mark.parametrize(
    "payload",
    [
        b"{",
        b"[" * 5000,
        b"\xff\xfe",
        b'{"id": "named", "action": "move"}',
        b'{"id": "named", "nonce": "n", "expires": 1e999, "operator": "a", "action": "open"}',
        b'{"id": "named", "nonce": "n", "expires": 5, "operator": "a", "action": "explode"}',
        b'{"id": "named", "nonce": "n", "expires": 5, "operator": "a", "action": "move", '
        b'"steps": 1000000000}',
        b"x" * 300_000,
    ],
    ids=lambda payload: str(payload[:30]),
)
def test_a_malformed_command_is_refused(
    stepper: Turn, remote: Remote, broker: Broker, payload: bytes
) -> None:
    stepper()
    remote.wait("the pins are open", error=None)
    throw(broker, payload)
    result = remote.result("named" if b'"named"' in payload else None)
    assert result.code == "malformed" and result.reason
    assert remote.ask("enable").accepted


def test_limits_speeds_and_senseless_moves(stepper: Turn, remote: Remote, trace: Trace) -> None:
    stepper(maximum="100", travel="60")
    remote.ready()
    assert remote.ask("move", steps=101).code == "outside_limits"
    assert remote.ask("move", position=-1).code == "outside_limits"
    assert remote.ask("close").code == "outside_limits"
    assert remote.ask("move", steps=10, rpm=121).code == "too_fast"
    assert remote.ask("move").code == "malformed"
    assert remote.ask("move", steps=1, position=1).code == "malformed"
    assert remote.ask("move", steps=0).code == "malformed"
    assert not trace.pulses()
    assert remote.ask("open").accepted
    remote.wait("open", moving=False, position=60)
    assert remote.ask("open").code == "outside_limits"


def test_a_second_movement_is_refused_while_one_goes_on(stepper: Turn, remote: Remote) -> None:
    stepper()
    remote.ready()
    assert remote.ask("move", steps=200).accepted
    for action in ("open", "close", "home", "enable", "disable"):
        assert remote.ask(action).code == "moving"
    remote.wait("there", moving=False, position=200)


def test_one_operator_steers_and_any_may_stop(
    stepper: Turn, remote: Remote, broker: Broker
) -> None:
    stepper()
    remote.ready()
    assert remote.lease and remote.lease.holder == "ana"
    with Remote(broker.port, "bert", "bert") as other:
        assert other.ask("enable").code == "held"
        assert other.ask("move", steps=10).code == "held"
        assert other.ask("disable").code == "held"
        assert remote.ask("move", steps=400).accepted
        assert other.ask("stop").accepted
        remote.wait("stopped", moving=False, outcome="stopped", enabled=False)
        assert remote.ask("disable").accepted
        assert other.ask("enable").accepted
        wait_until(lambda: remote.lease and remote.lease.holder == "bert", "bert steers")


def test_who_is_silent_for_long_steers_no_more(stepper: Turn, remote: Remote, trace: Trace) -> None:
    stepper(lease="1")
    remote.ready()
    remote.wait("it is taken away", enabled=False)
    wait_until(lambda: remote.lease and remote.lease.holder is None, "nobody steers")
    assert not trace.enabled
    assert remote.ask("open").code == "not_enabled"


def send_all(remote: Remote, commands: list[StepperCommand]) -> None:
    for command in commands:
        remote.send(command)


def test_of_a_thousand_racing_commands_exactly_the_legal_ones_run(
    stepper: Turn, remote: Remote, broker: Broker, trace: Trace
) -> None:
    service = stepper(max_rpm="600", start_rpm="600", nonce="60")
    remote.ready()
    kinds: list[dict[str, Any]] = [
        {"steps": 3},
        {"steps": -3},
        {"steps": 3, "nonce": "invented"},
        {"steps": 3, "operator": "bert"},
    ]
    commands = [
        remote.command("move", rpm=600, expires=60, **kinds[n % len(kinds)]) for n in range(RACERS)
    ]
    with (
        Remote(broker.port, "ana", "web-2") as second,
        Remote(broker.port, "ana", "web-3") as third,
    ):
        with ThreadPoolExecutor(3) as pool:
            for n, racer in enumerate((remote, second, third)):
                pool.submit(send_all, racer, commands[n::3])
        ids = {command.id for command in commands}
        wait_until(lambda: sum(r.id in ids for r in remote.results) == RACERS, "all are answered")
    remote.wait("all is over", moving=False)
    ran = [result.id for result in remote.results if result.id in ids and result.accepted]
    steps = {command.id: command.steps or 0 for command in commands}
    assert ran
    assert len(trace.pulses()) == 3 * len(ran)
    stood = list(accumulate(steps[str(id)] for id in ran))
    assert all(0 <= position <= 1000 for position in stood)
    assert remote.now.position == stood[-1]
    codes = Counter(result.code for result in remote.results if result.id in ids)
    assert codes["unknown_nonce"] == codes["held"] == RACERS / len(kinds)
    assert codes["ok"] + codes["moving"] + codes["outside_limits"] == RACERS / 2
    # Every command, and what became of it, is a line of the log.
    log = service.log()
    assert all(f"({id})" in log for id in ids)
