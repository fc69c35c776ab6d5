"""`make run` as a whole: everything comes up, comes back when killed, and goes with Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import psutil
import pytest
from bus.topics import parse
from conftest import free_port, wait_until
from paho.mqtt.enums import CallbackAPIVersion

ONLINE = {"camera-csi", "camera-usb", "stills", "metadata", "sensors", "web"}
READINGS = {
    "beeper/sensors/bme680/all",
    "beeper/sensors/cpu/temperature",
    "beeper/system/stats",
    "beeper/audio/level",
    "beeper/camera/csi/metadata",
    "beeper/camera/csi/status",
    "beeper/camera/usb/metadata",
    "beeper/camera/usb/status",
}


class Station:
    """The station on ports of its own, with everything simulated that can be."""

    def __init__(self, folder: Path) -> None:
        self.port, mqtt = free_port(), free_port()
        kept = {k: v for k, v in os.environ.items() if not k.startswith("BEEPER_")}
        environment = kept | {
            "BEEPER_WEB__PORT": str(self.port),
            "BEEPER_MQTT__PORT": str(mqtt),
            "BEEPER_CAMERA__CSI__DRIVER": "test",
            "BEEPER_CAMERA__USB__DRIVER": "test",
            "BEEPER_CAMERA__USB__AUDIO": "test",
            "BEEPER_SENSORS__BME680__DRIVER": "simulated",
            "BEEPER_SENSORS__AUDIO__DRIVER": "simulated",
        }
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "station", "--folder", str(folder / "run")],
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.states: dict[str, Any] = {}
        self.others: list[str] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_message = self._on_message
        self._client.on_connect = lambda client, *_: subscribe(client)
        self._client.reconnect_delay_set(1, 1)
        self._client.connect_async("127.0.0.1", mqtt)
        self._client.loop_start()

    def _on_message(self, _client: object, _userdata: object, message: paho.MQTTMessage) -> None:
        if parse(message.topic) is None:
            self.others.append(message.topic)
        else:
            self.states[message.topic] = json.loads(message.payload)

    def online(self) -> set[str]:
        return {
            topic.split("/")[2]
            for topic, status in list(self.states.items())
            if topic.startswith("beeper/service/") and status.get("state") == "online"
        }

    def streaming(self, camera: str) -> bool:
        status = self.states.get(f"beeper/camera/{camera}/status", {})
        return bool(status.get("state") == "streaming" and status.get("fps"))

    def get(self, path: str) -> dict[str, Any] | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=2) as answer:
                return dict(json.load(answer))
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            return None

    def pid(self, *words: str) -> int | None:
        for child in psutil.Process(self.process.pid).children(recursive=True):
            try:
                if all(word in child.cmdline() for word in words):
                    return int(child.pid)
            except psutil.NoSuchProcess:
                continue
        return None

    def close(self) -> list[psutil.Process]:
        """Ctrl-C; whoever is left after it."""
        family = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(signal.SIGINT)
        self.process.wait(15)
        self._client.loop_stop()
        return [child for child in family if is_alive(child)]


def is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def subscribe(client: paho.Client) -> None:
    client.subscribe("beeper/#", 1)


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    station = Station(tmp_path)
    yield station
    if station.process.poll() is None:
        station.close()


def is_lost(station: Station, instance: str) -> bool:
    return instance not in station.online()


def up(station: Station) -> bool:
    return (
        station.online() >= ONLINE
        and set(station.states) >= READINGS
        and station.streaming("csi")
        and station.streaming("usb")
        and (station.get("/healthz") or {}).get("status") == "ok"
    )


def test_everything_comes_up_and_nothing_is_left_behind(station: Station) -> None:
    wait_until(lambda: up(station), "the station is up", 60)
    assert not station.others, "only topics of the contract, and no media, below beeper/"
    simulated = {topic for topic, state in station.states.items() if state.get("simulated")}
    assert simulated >= READINGS - {"beeper/sensors/cpu/temperature", "beeper/system/stats"}
    assert station.close() == []
    assert "Traceback" not in station.log.read_text()


def test_whatever_is_killed_comes_back(station: Station) -> None:
    wait_until(lambda: up(station), "the station is up", 60)
    for words in (("camera", "csi"), ("stills",), ("metadata",), ("sensors",), ("web",)):
        killed = station.pid("-m", *words)
        assert killed, words
        os.kill(killed, signal.SIGKILL)
        instance = "-".join(words)
        wait_until(partial(is_lost, station, instance), f"{instance} is lost", 20)
        wait_until(lambda: up(station), f"{instance} is back", 30)
    broker = station.pid("mosquitto")
    assert broker
    os.kill(broker, signal.SIGKILL)
    wait_until(lambda: station.pid("mosquitto") not in (None, broker), "Mosquitto is back", 20)
    station.states.clear()
    wait_until(lambda: up(station), "every state has been said again", 30)
