"""`make run` as a whole: everything comes up, comes back when killed, and goes with Ctrl-C."""

import itertools
import json
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from bus.rights import OBSERVER
from bus.topics import parse
from conftest import wait_until
from paho.mqtt.enums import CallbackAPIVersion
from whole import Station

ONLINE = {"camera-csi", "camera-usb", "stills", "metadata", "sensors", "chat", "web"}
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


class Watcher:
    """What `make watch` would show."""

    def __init__(self, station: Station) -> None:
        self.states: dict[str, Any] = {}
        self.others: list[str] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_message = self._on_message
        self._client.on_connect = lambda client, *_: subscribe(client)
        self._client.reconnect_delay_set(1, 1)
        wait_until(lambda: station.pid("mosquitto"), "the broker runs")
        self._client.username_pw_set(OBSERVER, station.password(OBSERVER))
        self._client.connect_async("127.0.0.1", station.mqtt_port)
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

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def subscribe(client: paho.Client) -> None:
    client.subscribe("beeper/#", 1)


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    station = Station(tmp_path)
    yield station
    if station.process.poll() is None:
        station.close()


@pytest.fixture
def watcher(station: Station) -> Iterator[Watcher]:
    watcher = Watcher(station)
    yield watcher
    watcher.close()


def up(station: Station, watcher: Watcher) -> bool:
    return watcher.online() >= ONLINE and set(watcher.states) >= READINGS and station.ready()


def is_lost(watcher: Watcher, instance: str) -> bool:
    return instance not in watcher.online()


def test_everything_comes_up_and_nothing_is_left_behind(station: Station, watcher: Watcher) -> None:
    wait_until(lambda: up(station, watcher), "the station is up")
    assert not watcher.others, "only topics of the contract, and no media, below beeper/"
    simulated = {topic for topic, state in watcher.states.items() if state.get("simulated")}
    assert simulated >= READINGS - {"beeper/sensors/cpu/temperature", "beeper/system/stats"}
    assert station.close() == []
    assert "Traceback" not in station.log.read_text()


def moments(station: Station, since: float) -> list[float]:
    """When the sound was measured, as the page's chart has it."""
    place = f"/api/history?metric=audio/level:level_db&from={since}&points=5000"
    answer = station.get(place) or {"series": [{"timestamps": [], "mean": []}]}
    (series,) = answer["series"]
    measured = zip(series["timestamps"], series["mean"], strict=True)
    return [moment for moment, mean in measured if mean is not None]


def test_a_restart_of_everything_is_a_gap_no_longer_than_itself(tmp_path: Path) -> None:
    every, began = 0.5, time.time()
    settings = {"BEEPER_SENSORS__AUDIO__INTERVAL": str(every)}
    station = Station(tmp_path, **settings)
    station.wait_ready()
    wait_until(lambda: len(moments(station, began)) >= 6, "something is kept")
    down = time.time()
    assert station.close() == []
    station = Station(tmp_path, **settings)
    station.wait_ready()
    up = time.time()
    wait_until(lambda: moments(station, up + 1), "it goes on")
    found = moments(station, began)
    station.close()
    gap, begins = max((b - a, a) for a, b in itertools.pairwise(found))
    assert 2 * every < gap < up - down + 5 * every
    assert begins > down - 5 * every, "what was measured last is kept"


def test_whatever_is_killed_comes_back(station: Station, watcher: Watcher) -> None:
    wait_until(lambda: up(station, watcher), "the station is up")
    for words in (("camera", "csi"), ("stills",), ("metadata",), ("sensors",), ("chat",), ("web",)):
        station.kill("-m", *words)
        instance = "-".join(words)
        wait_until(partial(is_lost, watcher, instance), f"{instance} is lost")
        wait_until(lambda: up(station, watcher), f"{instance} is back")
    broker = station.kill("mosquitto")
    wait_until(lambda: station.pid("mosquitto") not in (None, broker), "Mosquitto is back")
    watcher.states.clear()
    wait_until(lambda: up(station, watcher), "every state has been said again")
