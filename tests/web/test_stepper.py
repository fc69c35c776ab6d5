"""The motor over HTTP: a real stepper behind a real web, and the dead man's chain between them."""

import contextlib
import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.publish
import pytest
from bus.messages import ServiceStatus
from bus.topics import SERVICE_STATUS
from conftest import DEADLINE, Broker, Service, Start, wait_until
from motor import Trace
from paho.mqtt.enums import MQTTProtocolVersion
from web_station import Answer, Web, messages
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

OPERATORS = '["local-127.0.0.1"]'
POSTS = ["enable", "disable", "home", "step?steps=5", "open", "close", "abort"]


class Page:
    """The WebSocket of an operator's page, which answers each beat of what it has begun."""

    def __init__(self, web: Web) -> None:
        self.holds = True
        self.movement = "0123456789abcdef"
        self._open = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, args=(web,))
        self._thread.start()
        assert self._open.wait(DEADLINE)

    def _listen(self, web: Web) -> None:
        with web.socket("events") as socket:
            for message in messages(socket, 60):
                self._open.set()
                if self._over.is_set():
                    return
                if message.get("topic") == "stepper/status":
                    self._renew(socket, message["message"])

    def _renew(self, socket: ClientConnection, status: dict[str, Any]) -> None:
        if self.holds and status["beat"] is not None and status["movement"] == self.movement:
            renewal = {"type": "renew", "id": self.movement, "beat": status["beat"]}
            with contextlib.suppress(ConnectionClosed):
                socket.send(json.dumps(renewal))

    def close(self) -> None:
        """Leave with the next message that comes."""
        self._over.set()
        self._thread.join()


class Plant:
    """Web, a stepper with simulated pins, and the record of those."""

    def __init__(self, start: Start, trace: Path, **settings: str) -> None:
        self.trace = Trace(trace)
        self.stepper: Service = start(
            "stepper",
            BEEPER_STEPPER__ENABLED="true",
            BEEPER_STEPPER__DRIVER="simulated",
            BEEPER_STEPPER__TRACE=str(trace),
            **settings,
        )
        self.web = Web(start, BEEPER_ACCESS__OPERATORS=OPERATORS)
        wait_until(lambda: self.get("status").status == 200, "web knows the motor")
        wait_until(lambda: self.state["worker_alive"], "the pins are open")

    @property
    def state(self) -> Any:
        return self.get("status").json()

    def get(self, path: str) -> Answer:
        return self.web.get(f"/api/stepper/{path}")

    def post(self, path: str) -> Answer:
        return self.web.get(f"/api/stepper/{path}", "POST")

    def wait(self, what: str, **state: Any) -> None:
        wait_until(lambda: state.items() <= self.state.items(), what)

    def begin(self, page: Page) -> None:
        """A long movement that this page keeps alive."""
        assert self.post("enable").status == 200
        assert self.post("home").status == 200
        self.wait("at home", position=0, enabled=True)
        assert self.post(f"step?steps=900&id={page.movement}").status == 200
        wait_until(lambda: len(self.trace.pulses()) > 10, "it moves")

    def stands(self) -> None:
        wait_until(lambda: not self.trace.enabled, "ENABLE is off")
        assert len(self.trace.pulses()) < 900


def say_old(broker: Broker) -> None:
    """The stepper's status as one says it whose clock is a minute behind."""
    then = time.time() - 60
    status = ServiceStatus(state="online", version="0", started_at=then, timestamp=then)
    paho.mqtt.publish.single(
        SERVICE_STATUS.path.format(instance="stepper"),
        status.model_dump_json(),
        qos=1,
        retain=True,
        port=broker.port,
        protocol=MQTTProtocolVersion.MQTTv5,
    )


@pytest.fixture
def plant(start: Start, tmp_path: Path) -> Plant:
    return Plant(start, tmp_path / "edges")


@pytest.fixture
def page(plant: Plant) -> Iterator[Page]:
    page = Page(plant.web)
    yield page
    page.close()


def test_an_operator_enables_homes_moves_and_disables(plant: Plant, page: Page) -> None:
    assert plant.state["position"] is None and plant.state["simulated"]
    assert plant.post("enable").json()["result"] == "ok"
    assert plant.post("home").status == 200
    plant.wait("at home", position_steps=0)
    answer = plant.post(f"step?steps=20&rpm=90&direction=fwd&id={page.movement}").json()
    assert answer["requested_steps"] == 20 and answer["rpm"] == 90
    plant.wait("there", moving=False, position=20)
    assert plant.post(f"step?steps=5&direction=rev&id={page.movement[::-1]}").status == 200
    plant.wait("back", moving=False, position=15, outcome="done")
    assert plant.state["lease"]["holder"] == "local-127.0.0.1"
    assert plant.post("disable").status == 200
    plant.wait("off", enabled=False, lease={"holder": None, "until": None})
    assert len(plant.trace.pulses()) == 25


def test_what_cannot_be_is_refused_with_its_code_and_reason(plant: Plant, page: Page) -> None:
    def refused(path: str, code: int, words: str) -> None:
        answer = plant.post(path)
        assert (answer.status, words in answer.body.decode()) == (code, True), answer.body

    refused("open", 409, "not_enabled")
    assert plant.post("enable").status == 200
    plant.wait("it is on", enabled=True)
    refused("open", 409, "position_unknown")
    assert plant.post("home").status == 200
    plant.wait("at home", position=0)
    refused("close", 409, "outside_limits")
    refused("step?steps=1001", 409, "outside_limits")
    refused("step?steps=10&rpm=121", 422, "too_fast")
    for wrong in ("step", "step?steps=0", "step?steps=x", "step?steps=5&direction=up"):
        refused(wrong, 422, "detail")
    refused("step?steps=5&rpm=-1", 422, "detail")
    assert plant.post(f"step?steps=400&rpm=2&id={page.movement}").status == 200
    for path in ("open", "home", "disable"):
        refused(path, 409, "moving")
    refused(f"abort?id={'x' * 65}", 422, "detail")
    assert plant.post("abort").status == 200
    plant.wait("stopped", moving=False, enabled=False, outcome="stopped")


def test_nothing_moves_for_somebody_who_has_no_page_open(plant: Plant) -> None:
    assert plant.post("enable").status == 200
    answer = plant.post("home")
    assert answer.status == 409 and "/events" in answer.json()["detail"]


def test_a_viewer_sees_and_does_not_steer(start: Start, tmp_path: Path) -> None:
    start("stepper", BEEPER_STEPPER__ENABLED="true", BEEPER_STEPPER__DRIVER="simulated")
    web = Web(start)
    wait_until(lambda: web.get("/api/stepper/status").status == 200, "web knows the motor")
    for path in POSTS:
        answer = web.get(f"/api/stepper/{path}", "POST")
        assert answer.status == 403
        assert "access.operators" in answer.json()["detail"]
    assert web.get("/api/stepper/status").json()["enabled"] is False


def test_a_station_without_a_motor_says_so(start: Start) -> None:
    web = Web(start, BEEPER_ACCESS__OPERATORS=OPERATORS)
    assert web.get("/api/stepper/status").status == 503
    for path in POSTS:
        answer = web.get(f"/api/stepper/{path}", "POST")
        assert answer.status == 503
        assert "stepper is not there" in answer.json()["detail"]


def test_whoever_asks_too_often_waits_but_may_always_stop(start: Start) -> None:
    web = Web(
        start,
        BEEPER_ACCESS__OPERATORS=OPERATORS,
        BEEPER_ACCESS__BURST="2",
        BEEPER_ACCESS__RATE="0.001",
    )
    assert [web.get("/api/me").status for _ in range(3)] == [200, 200, 429]
    for path in set(POSTS) - {"abort"}:
        answer = web.get(f"/api/stepper/{path}", "POST")
        assert answer.status == 429 and "wait" in answer.json()["detail"]
        assert int(answer.headers["Retry-After"]) > 0
    assert web.get("/api/stepper/abort", "POST").status == 503, "there is no motor to stop"


def test_a_dead_stepper_is_said(plant: Plant) -> None:
    plant.stepper.kill()
    wait_until(lambda: plant.get("status").status == 503, "it is missed")
    assert "lost" in plant.post("abort").json()["detail"]


def test_a_stop_goes_out_whatever_the_clocks_say(
    start: Start, broker: Broker, tmp_path: Path
) -> None:
    plant = Plant(start, tmp_path / "edges", BEEPER_MQTT__STATUS_INTERVAL="60")
    assert plant.post("enable").status == 200
    wait_until(lambda: plant.trace.enabled, "it is on")
    say_old(broker)
    wait_until(lambda: plant.get("status").status == 503, "web takes the stepper for lost")
    assert "lost" in plant.post("enable").json()["detail"]
    assert plant.post("abort").status == 200
    wait_until(lambda: not plant.trace.enabled, "ENABLE is off")


def test_a_page_that_stays_keeps_the_motor_going(plant: Plant, page: Page) -> None:
    plant.begin(page)
    plant.wait("there", moving=False, position=900, outcome="done")


def test_closing_the_page_stops_the_motor(plant: Plant, page: Page) -> None:
    plant.begin(page)
    page.close()
    plant.stands()
    plant.wait("stopped", moving=False, enabled=False, outcome="dead_man")


def test_a_page_that_says_nothing_stops_the_motor(plant: Plant, page: Page) -> None:
    plant.begin(page)
    page.holds = False
    plant.stands()
    plant.wait("stopped", outcome="dead_man")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_losing_web_stops_the_motor(plant: Plant, page: Page, number: signal.Signals) -> None:
    plant.begin(page)
    plant.web.service.process.send_signal(number)
    plant.stands()
    plant.web.service.kill()


def test_losing_the_broker_stops_the_motor(plant: Plant, page: Page, broker: Broker) -> None:
    plant.begin(page)
    broker.stop()
    plant.stands()
    broker.start()
    plant.wait("it is back", moving=False, outcome="dead_man")


@pytest.mark.parametrize(
    "renewal",
    [
        {"type": "renew"},
        {"type": "renew", "id": 5, "beat": 1},
        {"type": "renew", "id": "x", "beat": -1},
        {"type": "renew", "id": "x", "beat": 1e300},
    ],
)
def test_a_renewal_that_is_none_ends_the_page(start: Start, renewal: dict[str, Any]) -> None:
    web = Web(start)
    with web.socket("events") as socket:
        socket.send(json.dumps(renewal))
        for _ in messages(socket):
            pass
        assert socket.close_code == 1008
