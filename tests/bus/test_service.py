"""The life of a service, seen from the bus; `stills` stands for all of them."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from bus.messages import ServiceStatus
from conftest import DEADLINE, Broker, Start, wait_until
from paho.mqtt.enums import CallbackAPIVersion

STATUS = "beeper/service/stills/status"
States = Callable[[], list[str]]


@pytest.fixture
def states(broker: Broker) -> States:
    """The states that `stills` has announced so far."""
    seen: list[str] = []

    def on_message(_client: object, _userdata: object, message: paho.MQTTMessage) -> None:
        seen.append(ServiceStatus.model_validate_json(message.payload).state)

    def on_connect(*_: object) -> None:
        client.subscribe(STATUS, 1)

    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.on_message = on_message
    client.on_connect = on_connect
    client.reconnect_delay_set(1, 1)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    return lambda: seen


def test_says_hello_and_goodbye(start: Start, states: States) -> None:
    service = start("stills")
    wait_until(lambda: states()[-1:] == ["online"], "stills is online")
    assert service.terminate() == 0, service.log()
    wait_until(lambda: states()[-1:] == ["offline"], "stills is offline")
    assert "lost" not in states()


def test_is_reported_lost_when_it_dies(start: Start, states: States) -> None:
    service = start("stills")
    wait_until(lambda: states()[-1:] == ["online"], "stills is online")
    service.kill()
    wait_until(lambda: states()[-1:] == ["lost"], "stills is lost")


def test_waits_for_a_broker_that_is_not_up_yet(
    broker: Broker, start: Start, states: States
) -> None:
    broker.stop()
    service = start("stills")
    wait_until(lambda: "no broker at" in service.log(), "it says that there is no broker")
    broker.start()
    wait_until(lambda: states()[-1:] == ["online"], "stills is online")
    assert service.log().count("no broker at") <= 2, "changes are logged, not repetitions"


def test_comes_back_though_its_password_could_not_be_read_for_a_while(
    broker: Broker, start: Start, states: States, tmp_path: Path
) -> None:
    password = tmp_path / "password"
    login = broker.login("stills")
    password.write_bytes(Path(login["BEEPER_MQTT__PASSWORD_FILE"]).read_bytes())
    service = start("stills", BEEPER_MQTT__PASSWORD_FILE=str(password))
    wait_until(lambda: states()[-1:] == ["online"], "stills is online")
    broker.stop()
    password.rename(tmp_path / "away")
    broker.start()
    wait_until(lambda: "No such file" in service.log(), "it says what it misses")
    (tmp_path / "away").rename(password)
    count = states().count("online")
    wait_until(lambda: states().count("online") > count, "stills is online again")


def test_stops_while_it_is_waiting_for_a_broker(broker: Broker, start: Start) -> None:
    broker.stop()
    service = start("stills")
    wait_until(lambda: "no broker at" in service.log(), "it says that there is no broker")
    assert service.terminate() == 0


def test_stops_while_the_broker_is_stopped_in_place(
    broker: Broker, start: Start, states: States
) -> None:
    service = start("stills")
    wait_until(lambda: states()[-1:] == ["online"], "stills is online")
    broker.signal(signal.SIGSTOP)
    assert service.terminate() == 0


def test_comes_back_after_a_broker_that_was_stopped_in_place(
    broker: Broker, start: Start, states: States
) -> None:
    service = start("stills", BEEPER_MQTT__KEEPALIVE="1", BEEPER_MQTT__TIMEOUT="0.5")
    wait_until(lambda: states()[-1:] == ["online"], "stills is online")
    broker.signal(signal.SIGSTOP)
    wait_until(lambda: service.log().count("no broker at") >= 1, "it notices")
    broker.signal(signal.SIGCONT)
    wait_until(lambda: service.log().count("connected to") >= 2, "it is connected again")
    wait_until(lambda: states()[-1:] == ["online"], "stills is online")


def test_replicas_have_their_own_names(start: Start) -> None:
    service = start("stills", "2")
    wait_until(lambda: "stills-2" in service.log(), "the log names the instance")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"BEEPER_MQTT__PORT": "99999"}, "mqtt.port"),
        ({"BEEPER_MQTT__PROT": "1"}, "mqtt.prot: unknown key"),
        ({"BEEPER_MQT__PORT": "1"}, "BEEPER_MQT__PORT: unknown setting"),
        ({"BEEPER_STILLS__QUALITY": "good"}, 'stills.quality = "good"'),
        ({"BEEPER_CONFIG": "nowhere.toml"}, "there is no such file"),
        ({"BEEPER_MQTT__PASSWORD_FILE": "nowhere"}, "mqtt.password_file"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(variables: dict[str, str], said: str) -> None:
    ended = run("stills", **variables)
    assert ended.returncode == 1
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1, ended.stderr


def test_the_file_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    config = tmp_path / "beeper.toml"
    config.write_text('[mqtt]\nhost = "broker"\nport = 1999\n[camera.csi]\nwidth = 1\n')
    shown = run("stills", "--show-settings", BEEPER_CONFIG=str(config), BEEPER_MQTT__PORT="1888")
    assert '"host": "broker"' in shown.stdout
    assert '"port": 1888' in shown.stdout


def test_secrets_are_hidden() -> None:
    variables = {"BEEPER_MQTT__PASSWORD": "hunter2"}
    shown = run("stills", "--show-settings", **variables)
    assert "hunter2" not in shown.stdout + shown.stderr
    assert '"password": "*' in shown.stdout


@pytest.mark.parametrize("option", ["--show-settings", "--explain-settings"])
def test_secrets_within_addresses_are_hidden(option: str) -> None:
    url = "https://me:hunter2@influx:8086/hunter2?token=hunter2"
    shown = run("history", option, BEEPER_HISTORY__INFLUXDB__URL=url)
    assert "hunter2" not in shown.stdout + shown.stderr
    assert '"https://influx:8086/' in shown.stdout


@pytest.mark.parametrize(
    "variables",
    [
        {"BEEPER_MQTT__PORT": "mqtt://me:hunter2@broker"},
        {"BEEPER_MQTT__HOST": "", "BEEPER_STATION": "mqtt://me:hunter2@broker/hunter2"},
        {"BEEPER_LOG_LEVEL": "rtsp://me:x#y/hunter2@broker"},
    ],
)
def test_an_address_at_a_wrong_place_is_told_without_its_secrets(variables: dict[str, str]) -> None:
    ended = run("stills", **variables)
    assert ended.returncode == 1
    assert "hunter2" not in ended.stderr


def test_a_log_leaves_logins_out_of_addresses() -> None:
    work = """
import logging, sys
from bus.service import log_to_stderr
log_to_stderr("door", "debug")
logging.info("at %s", "rtsp://me:hunter2@door/live?key=hunter2")
logging.getLogger("httpx").info("HTTP Request: GET http://door/hunter2")
logging.getLogger("httpcore").debug("path /hunter2")
try:
    raise OSError("no way to rtsp://me:hunter/2@door/live")
except OSError:
    logging.exception("it failed")
"""
    said = subprocess.run([sys.executable, "-c", work], capture_output=True, text=True, check=True)
    assert "at rtsp://door/live?…" in said.stderr
    assert "OSError: no way to rtsp://door/live" in said.stderr
    assert "hunter" not in said.stderr.partition("Traceback")[0]
    assert "hunter" not in said.stderr.partition("OSError: no way")[2]


def test_help_says_what_it_is() -> None:
    assert "JPEG" in run("stills", "--help").stdout


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        env={"PATH": "/usr/bin:/bin", **variables},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
