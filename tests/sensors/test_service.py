"""The real process on a real broker: what it publishes, what it misses, how it ends."""

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import psutil
import pytest
from bus.messages import AudioLevel, Climate, CpuTemperature, SystemStats
from conftest import DEADLINE, Broker, Start, wait_until
from paho.mqtt.enums import CallbackAPIVersion
from whole import is_alive

CLIMATE = "beeper/sensors/bme680/all"
CPU = "beeper/sensors/cpu/temperature"
SYSTEM = "beeper/system/stats"
AUDIO = "beeper/audio/level"
STATUS = "beeper/service/sensors/status"

QUICK = {
    "BEEPER_SENSORS__INTERVAL": "0.2",
    "BEEPER_SENSORS__RETRY": "0.2",
    "BEEPER_SENSORS__BME680__DRIVER": "simulated",
    "BEEPER_SENSORS__BME680__HEATER_MS": "20",
    "BEEPER_SENSORS__AUDIO__DRIVER": "simulated",
    "BEEPER_SENSORS__AUDIO__INTERVAL": "0.2",
}


class Ear:
    """Keeps every message that it hears, by topic."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.on_message = lambda _c, _u, m: self.heard.append((m.topic, bytes(m.payload)))
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("beeper/#", qos=1)
        self._client.loop_start()

    def of(self, topic: str) -> list[bytes]:
        return [payload for name, payload in list(self.heard) if name == topic]

    def statuses(self) -> list[dict[str, Any]]:
        return [json.loads(payload) for payload in self.of(STATUS)]

    def problems(self) -> dict[str, str]:
        statuses = self.statuses()
        return dict(statuses[-1]["problems"]) if statuses else {}

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def ear(broker: Broker) -> Iterator[Ear]:
    ear = Ear(broker.port)
    yield ear
    ear.close()


@pytest.fixture
def sys(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes a file of a made-up sysfs."""

    def put(name: str, content: str) -> Path:
        path = tmp_path / "sys" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return tmp_path / "sys"

    return put


def test_every_source_publishes_and_says_what_it_is(
    start: Start, ear: Ear, sys: Callable[[str, str], Path]
) -> None:
    sys("class/thermal/thermal_zone0/type", "cpu-thermal\n")
    root = sys("class/thermal/thermal_zone0/temp", "48312\n")
    before = time.time()
    start("sensors", BEEPER_SENSORS__CPU__SYS=str(root), **QUICK)
    topics = (CLIMATE, CPU, SYSTEM, AUDIO)
    wait_until(lambda: all(len(ear.of(topic)) >= 2 for topic in topics), "two readings of each")
    climate = Climate.model_validate_json(ear.of(CLIMATE)[-1])
    sound = AudioLevel.model_validate_json(ear.of(AUDIO)[-1])
    cpu = CpuTemperature.model_validate_json(ear.of(CPU)[-1])
    system = SystemStats.model_validate_json(ear.of(SYSTEM)[-1])
    assert (climate.simulated, sound.simulated) == (True, True)
    assert (cpu.simulated, system.simulated) == (False, False)
    assert cpu.cpu_temp == 48.312
    assert sound.level_db == pytest.approx(sound.level_dbfs + 100)
    assert {reading.interval for reading in (climate, sound, cpu, system)} == {0.2}
    stamps = [Climate.model_validate_json(payload).timestamp for payload in ear.of(CLIMATE)]
    assert before < stamps[0] < stamps[-1] < time.time()
    assert ear.problems() == {}


def test_a_busy_machine_is_seen_as_busy(start: Start, ear: Ear) -> None:
    start("sensors", **QUICK)
    wait_until(lambda: ear.of(SYSTEM), "a first reading")

    def worked() -> bool:
        sum(range(200_000))  # this machine works while it waits
        return SystemStats.model_validate_json(ear.of(SYSTEM)[-1]).cpu_percent > 10

    wait_until(worked, "the processor's use rises")


def test_absent_sources_are_named_and_cost_the_others_nothing(start: Start, ear: Ear) -> None:
    service = start(
        "sensors",
        **QUICK
        | {"BEEPER_SENSORS__BME680__DRIVER": "i2c", "BEEPER_SENSORS__BME680__BUS": "99"}
        | {"BEEPER_SENSORS__AUDIO__DRIVER": "alsa", "BEEPER_SENSORS__AUDIO__DEVICE": "nobody"}
        | {"BEEPER_SENSORS__AUDIO__RETRY_MIN": "0.1", "BEEPER_SENSORS__AUDIO__RETRY_MAX": "0.2"},
    )
    wait_until(lambda: len(ear.of(SYSTEM)) >= 5, "readings of the machine")
    assert "raspi-config" in ear.problems()["bme680"]
    assert "arecord -L" in ear.problems()["audio"]
    assert ear.of(CLIMATE) == ear.of(AUDIO) == []
    assert service.log().count("bme680:") == 1
    assert service.log().count("audio:") == 1


def test_a_failing_sensor_is_reported_once_and_again_when_it_is_back(
    start: Start, ear: Ear
) -> None:
    script = ["ok", "ok", *["silent"] * 6, "ok"]
    service = start("sensors", **QUICK, BEEPER_SENSORS__BME680__SCRIPT=json.dumps(script))
    wait_until(lambda: "check its wiring" in ear.problems().get("bme680", ""), "it is reported")
    wait_until(lambda: "bme680" not in ear.problems(), "it is back")
    wait_until(lambda: len(ear.of(CLIMATE)) >= 3, "readings go on")
    assert service.log().count("check its wiring") == 1
    assert service.log().count("bme680: works again") == 1


def test_a_killed_service_leaves_no_recorder_that_is_silent(start: Start, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "arecord"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 10000\n")
    program.chmod(0o755)
    path = f"{program.parent}:{os.environ['PATH']}"
    alsa = {"BEEPER_SENSORS__AUDIO__DRIVER": "alsa", "BEEPER_SENSORS__AUDIO__SILENCE": "300"}
    service = start("sensors", PATH=path, **QUICK | alsa)
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), "it records")
    recorder = psutil.Process(int((tmp_path / "pid").read_text()))
    service.kill()
    wait_until(lambda: not is_alive(recorder), "the recorder ends")


def test_a_microphone_that_blocks_and_dies_comes_back(
    start: Start, ear: Ear, tmp_path: Path
) -> None:
    program = tmp_path / "bin" / "arecord"
    program.parent.mkdir()
    program.write_text(
        f"#!/bin/sh\ncd {tmp_path}\nrun=$(ls run-* 2>/dev/null | wc -l); touch run-$run\n"
        "head -c 48000 /dev/zero\n"
        "[ $run = 0 ] && exec sleep 10000\n"
        "[ $run = 1 ] && exit 1\n"
        "while head -c 4800 /dev/zero; do sleep 0.05; done\n"
    )
    program.chmod(0o755)
    service = start(
        "sensors",
        PATH=f"{program.parent}:{os.environ['PATH']}",
        **QUICK
        | {"BEEPER_SENSORS__AUDIO__DRIVER": "alsa", "BEEPER_SENSORS__AUDIO__SILENCE": "3"}
        | {"BEEPER_SENSORS__AUDIO__RETRY_MIN": "0.3", "BEEPER_SENSORS__AUDIO__RETRY_MAX": "0.3"},
    )
    wait_until(lambda: "no sound for 3 s" in service.log(), "it blocks")
    wait_until(lambda: "arecord ended" in service.log(), "it dies")
    wait_until(lambda: service.log().count("audio: works again") == 2, "it is back")
    wait_until(lambda: "audio" not in ear.problems(), "it is said")
    count = len(ear.of(AUDIO))
    wait_until(lambda: len(ear.of(AUDIO)) > count + 2, "levels go on")
    assert not AudioLevel.model_validate_json(ear.of(AUDIO)[-1]).simulated


def test_the_firmwares_bits_arrive_decoded(start: Start, ear: Ear, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "vcgencmd"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho throttled=0x80008\n")
    program.chmod(0o755)
    start("sensors", PATH=f"{program.parent}:{os.environ['PATH']}", **QUICK)
    wait_until(lambda: ear.of(CPU), "the processor's state")
    cpu = CpuTemperature.model_validate_json(ear.of(CPU)[-1])
    assert cpu.throttled == 0x80008
    assert (cpu.soft_temp_limit, cpu.under_voltage) == (True, False)


def test_sources_that_are_off_are_silent(start: Start, ear: Ear) -> None:
    off = {"BEEPER_SENSORS__BME680__DRIVER": "off", "BEEPER_SENSORS__AUDIO__DRIVER": "off"}
    start("sensors", **QUICK | off)
    wait_until(lambda: len(ear.of(SYSTEM)) >= 3, "readings of the machine")
    assert ear.of(CLIMATE) == ear.of(AUDIO) == []
    assert ear.problems() == {}


def test_sigterm_says_goodbye_and_keeps_the_baseline(
    start: Start, ear: Ear, tmp_path: Path
) -> None:
    service = start("sensors", **QUICK, BEEPER_SENSORS__IAQ__WARMUP="0.5")
    wait_until(lambda: ear.of(CLIMATE), "a reading")
    assert Climate.model_validate_json(ear.of(CLIMATE)[0]).iaq is None, "still cold"
    wait_until(lambda: Climate.model_validate_json(ear.of(CLIMATE)[-1]).iaq is not None, "warm")
    assert service.terminate() == 0
    wait_until(lambda: ear.statuses()[-1]["state"] == "offline", "the goodbye")
    assert (tmp_path / "state" / "bme680-baseline.json").exists()
    assert "Traceback" not in service.log()
    count = len(ear.of(CLIMATE))
    start("sensors", **QUICK, BEEPER_SENSORS__IAQ__WARMUP="0.5")
    wait_until(lambda: len(ear.of(CLIMATE)) > count, "a reading after the restart")
    assert Climate.model_validate_json(ear.of(CLIMATE)[count]).iaq is not None, "still warm"


def test_readings_go_on_when_the_broker_comes_back(start: Start, broker: Broker) -> None:
    start("sensors", **QUICK)
    first = Ear(broker.port)
    wait_until(lambda: first.of(CLIMATE), "a reading")
    first.close()
    broker.stop()
    broker.start()
    again = Ear(broker.port)
    wait_until(lambda: len(again.of(CLIMATE)) >= 2 and again.of(AUDIO), "readings again")
    again.close()


@pytest.mark.parametrize(
    ("variable", "value", "key"),
    [
        ("BEEPER_SENSORS__INTERVAL", "0", "sensors.interval"),
        ("BEEPER_SENSORS__BME680__DRIVER", "auto", "sensors.bme680.driver"),
        ("BEEPER_SENSORS__BME680__ADDRESS", "0x75", "sensors.bme680.address"),
        ("BEEPER_SENSORS__AUDIO__DB_OFSET", "94", "sensors.audio.db_ofset"),
    ],
)
def test_a_wrong_setting_is_one_line(start: Start, variable: str, value: str, key: str) -> None:
    service = start("sensors", **{variable: value})
    assert service.process.wait(DEADLINE) != 0
    assert len(service.log().splitlines()) == 1
    assert key in service.log()


def test_the_level_of_a_cameras_sound_is_taken_from_the_bus(start: Start, ear: Ear) -> None:
    camera = {
        "BEEPER_CAMERA__USB__DRIVER": "test",
        "BEEPER_CAMERA__USB__AUDIO": "test",
        "BEEPER_CAMERA__USB__DEMAND": "on_demand",
    }
    hear = {
        "BEEPER_SENSORS__BME680__DRIVER": "off",
        "BEEPER_SENSORS__AUDIO__DRIVER": "camera",
        "BEEPER_SENSORS__AUDIO__SILENCE": "3",
        "BEEPER_SENSORS__AUDIO__RETRY_MIN": "0.2",
        "BEEPER_SENSORS__AUDIO__RETRY_MAX": "0.5",
    }
    first = start("camera", "usb", **camera)
    start("sensors", **hear)

    def levels() -> list[AudioLevel]:
        return [AudioLevel.model_validate_json(payload) for payload in ear.of(AUDIO)]

    wait_until(lambda: any(level.peak_dbfs > -25 for level in levels()), "a beep is heard")
    wait_until(lambda: levels()[-1].simulated, "it says that the camera is simulated")
    first.kill()
    wait_until(lambda: "camera usb has sent no sound" in str(ear.problems()), "its end is said")
    start("camera", "usb", **camera)
    heard = len(levels())
    wait_until(lambda: len(levels()) > heard and not ear.problems(), "it is heard again")
