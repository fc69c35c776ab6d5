"""The service as it is started, on a real broker."""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bus.messages import CameraMetadata
from bus.topics import CAMERA_METADATA, address
from conftest import DEADLINE, Broker, Service, Start, free_port, wait_until

Tell = Callable[[str], None]
Encode = Callable[[Path], Tell]
Begin = Callable[..., Service]

TOPIC = address(CAMERA_METADATA, camera="csi")
STATUS = "beeper/service/metadata/status"


class Heard:
    """What mosquitto_sub prints: topic, and whether it was retained, and the payload."""

    def __init__(self, broker: Broker) -> None:
        self.lines: list[tuple[str, bool, dict[str, Any]]] = []
        command = ["mosquitto_sub", "-p", str(broker.port), "-t", "#", "-F", "%t %r %p"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            topic, retained, payload = line.split(" ", 2)
            self.lines.append((topic, retained == "1", json.loads(payload)))

    def close(self) -> None:
        self.process.terminate()
        self._reading.join()
        self.process.communicate()

    def lux(self) -> list[float]:
        return [payload["Lux"] for topic, _, payload in self.lines if topic == TOPIC]

    def problems(self) -> dict[str, str] | None:
        """Of the newest status message that says `online`."""
        last = [p for topic, _, p in self.lines if topic == STATUS and p["state"] == "online"]
        return last[-1]["problems"] if last else None


@pytest.fixture
def heard(broker: Broker) -> Iterator[Heard]:
    heard = Heard(broker)
    yield heard
    heard.close()


@pytest.fixture
def begin(start: Start, heard: Heard, tmp_path: Path) -> Begin:
    """Start the service with a short interval, and wait until it has looked for the first time."""

    def begin(interval: str = "0.05") -> Service:
        # What it says of this file tells that it has looked, and that the broker knows it.
        sign = tmp_path / "run" / "First Look.metadata.json"
        sign.touch()
        service = start("metadata", BEEPER_METADATA__INTERVAL=interval)
        wait_until(lambda: sign.name in (heard.problems() or {}), "the first look")
        sign.unlink()
        wait_until(lambda: heard.problems() == {}, "the second look")
        return service

    return begin


def test_publishes_each_newest_record_once(
    tmp_path: Path, encode: Encode, heard: Heard, begin: Begin
) -> None:
    begin()
    tell = encode(tmp_path / "run" / "csi.metadata.json")
    for count in range(1, 4):
        tell("frames 10")
        wait_until(lambda: len(heard.lux()) >= count and heard.lux()[-1] % 10 == 0, "a record")  # noqa: B023 (called at once)
    assert heard.lux()[-1] == 30
    assert len(heard.lux()) == len(set(heard.lux()))
    payload = next(payload for topic, _, payload in heard.lines if topic == TOPIC)
    message = CameraMetadata.model_validate(payload)
    assert abs(time.time() - message.timestamp) < DEADLINE
    assert message.interval == 0.05
    assert not message.simulated
    assert payload["ScalerCrop"] == "(0, 0)/2592x1944"


def test_publishes_no_faster_than_the_interval(
    tmp_path: Path, encode: Encode, heard: Heard, begin: Begin
) -> None:
    tell = encode(tmp_path / "run" / "csi.metadata.json")
    begin("0.4")
    began = time.monotonic()

    def three() -> bool:
        tell("frames 1")
        return len(heard.lux()) >= 4

    wait_until(three, "four messages")
    assert time.monotonic() - began > 0.4 * 3 - 0.1
    assert heard.lux()[-1] > 10


def test_a_restart_repeats_nothing_and_the_broker_keeps_the_last(
    broker: Broker, tmp_path: Path, encode: Encode, heard: Heard, begin: Begin
) -> None:
    service = begin()
    tell = encode(tmp_path / "run" / "csi.metadata.json")
    tell("frames 10")
    wait_until(lambda: heard.lux()[-1:] == [10], "the tenth record")
    assert service.terminate() == 0
    begin()
    tell("frames 1")
    wait_until(lambda: 11 in heard.lux(), "the next record")
    assert heard.lux().count(10) == 1
    late = Heard(broker)
    wait_until(late.lux, "the retained record")
    late.close()
    assert [(retained, p["Lux"]) for topic, retained, p in late.lines if topic == TOPIC] == [
        (True, 11)
    ]


def test_a_simulated_camera_is_said_to_be_one(
    tmp_path: Path, encode: Encode, heard: Heard, begin: Begin
) -> None:
    begin()
    tell = encode(tmp_path / "run" / "csi.metadata.json")
    tell("with Simulated true")
    tell("frames 1")
    wait_until(heard.lux, "a record")
    payload = next(payload for topic, _, payload in heard.lines if topic == TOPIC)
    assert payload["simulated"] is True
    assert "Simulated" not in payload


def test_the_status_says_what_is_wrong_and_when_it_is_well_again(
    tmp_path: Path, encode: Encode, heard: Heard, begin: Begin
) -> None:
    service = begin()
    pipe = tmp_path / "run" / "csi.metadata.json"
    pipe.symlink_to("/dev/null")
    wait_until(lambda: "csi.metadata.json" in (heard.problems() or {}), "the problem")
    pipe.unlink()
    encode(pipe)("frames 1")
    wait_until(lambda: heard.problems() == {}, "all well")
    wait_until(heard.lux, "a record")
    assert service.log().count("Too many levels of symbolic links") == 1


def test_comes_back_after_the_broker_was_away(
    broker: Broker, tmp_path: Path, encode: Encode, begin: Begin
) -> None:
    begin()
    tell = encode(tmp_path / "run" / "csi.metadata.json")
    tell("frames 1")
    broker.stop()
    tell("frames 1")
    broker.start()
    again = Heard(broker)
    wait_until(lambda: again.lux()[-1:] == [2], "the record that was written meanwhile")
    again.close()


def test_a_broker_that_refuses_is_a_problem(start: Start, tmp_path: Path, encode: Encode) -> None:
    port = free_port()
    (tmp_path / "acl").write_text("topic readwrite beeper/service/#\n")
    # As another user Mosquitto could not read the list in a folder of root's.
    lines = [f"listener {port} 127.0.0.1", "allow_anonymous true", "user root"]
    lines.append(f"acl_file {tmp_path / 'acl'}")
    (tmp_path / "conf").write_text("\n".join(lines) + "\n")
    with subprocess.Popen(["mosquitto", "-c", tmp_path / "conf"], stderr=subprocess.DEVNULL) as own:
        service = start("metadata", BEEPER_MQTT__PORT=str(port), BEEPER_METADATA__INTERVAL="0.05")
        tell = encode(tmp_path / "run" / "csi.metadata.json")

        def refused() -> bool:
            tell("frames 1")
            return "csi: the broker says: Not authorized" in service.log()

        wait_until(refused, "the refusal")
        assert service.process.poll() is None
        own.terminate()
