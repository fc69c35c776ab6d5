"""Telegraf takes every metric of the contract, once, as what it is."""

import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from bus.points import BROKER_TOPICS, HOME, MEASUREMENTS, METRICS, RAW_BUCKET, Measurement
from bus.rights import BRIDGED, OBSERVER, acl, hub_acl
from bus.topics import TOPICS, Topic, address, fits, pattern
from conftest import Broker, wait_until
from paho.mqtt.enums import CallbackAPIVersion
from station.broker import password

FILES = {"telegraf.conf": "", "hub.conf": "+"}
TAKEN = {"telegraf.conf": METRICS, "hub.conf": BRIDGED}
LEVELS = {"camera": "csi", "relay": "mediamtx", "instance": "web"}

Table = dict[str, Any]


@pytest.fixture(params=FILES)
def name(request: pytest.FixtureRequest) -> str:
    """Each file in turn."""
    return str(request.param)


def read(name: str) -> Table:
    return tomllib.loads((Path("telegraf") / name).read_text(encoding="utf-8"))


def inputs(name: str) -> list[Table]:
    found: list[Table] = read(name)["inputs"]["mqtt_consumer"]
    return found


def of(kept: Measurement, name: str) -> Table:
    """The input that takes one measurement."""
    (found,) = (one for one in inputs(name) if one["name_override"] == kept.name)
    return found


def example(topic: Topic[Any], name: str) -> str:
    """A name of the topic as a station, or its bridge, publishes it."""
    levels = {level: value for level, value in LEVELS.items() if f"{{{level}}}" in topic.path}
    return address(topic, "barn" if FILES[name] else "", **levels)


def test_the_files_are_fresh(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "telegraf/generate", str(tmp_path)], check=True)

    for name in FILES:
        shipped = (Path("telegraf") / name).read_text(encoding="utf-8")
        assert shipped == (tmp_path / name).read_text(encoding="utf-8"), "stale: make telegraf"


def test_every_metric_is_taken_exactly_once_and_nothing_else(name: str) -> None:
    filters = [topic for one in inputs(name) for topic in one["topics"]]
    taken = {
        topic.path: [wanted for wanted in filters if fits(wanted, example(topic, name))]
        for topic in TOPICS
    }

    assert {path for path, by in taken.items() if by} == {topic.path for topic in TAKEN[name]}
    assert all(len(by) <= 1 for by in taken.values())


def test_every_filter_is_fed(name: str) -> None:
    fed = {pattern(topic, FILES[name], {}) for topic in TAKEN[name]} | set(BROKER_TOPICS)

    assert {topic for one in inputs(name) for topic in one["topics"]} == fed


def test_nothing_is_lost_while_telegraf_is_away(name: str) -> None:
    metrics = [one for one in inputs(name) if one["name_override"] in kept_names()]

    assert len(metrics) == len(TAKEN[name])
    assert all(one["qos"] == 1 and one["persistent_session"] for one in metrics)
    clients = Counter(one["client_id"] for one in inputs(name))
    assert max(clients.values()) == 1


def kept_names() -> set[str]:
    return {kept.name for kept in MEASUREMENTS.values()}


@pytest.mark.parametrize("kept", MEASUREMENTS.values(), ids=lambda kept: kept.name)
def test_a_row_has_its_own_time_its_types_and_its_tags(kept: Measurement, name: str) -> None:
    if kept.topic not in TAKEN[name]:
        return
    found = of(kept, name)
    (parser,) = found["json_v2"]

    assert (parser["timestamp_path"], parser["timestamp_format"]) == ("timestamp", "unix")
    assert found["precision"] == "1ms"
    fields = {one.get("rename", one["path"]): one["type"] for one in parser["field"]}
    assert fields == dict(kept.fields)
    assert all(one["optional"] for one in parser["field"])
    assert set(tags(found, name)) == set(kept.tags)


def tags(found: Table, name: str) -> Iterator[str]:
    """The names of all tags that the input gives a row."""
    yield from found.get("tags", {})
    yield from (one["path"] for one in found["json_v2"][0].get("tag", []))
    for parsing in found.get("topic_parsing", []):
        levels = parsing["tags"].split("/")
        assert len(levels) == len(found["topics"][0].split("/"))
        for level, wanted in zip(levels, found["topics"][0].split("/"), strict=True):
            assert (level == "_") == (wanted != "+")
            if level != "_":
                yield level


def test_a_station_without_a_root_is_called_as_history_calls_it() -> None:
    assert all(
        of(kept, "telegraf.conf")["tags"]["station"] == HOME for kept in MEASUREMENTS.values()
    )


def test_the_broker_lets_it_hear_what_it_wants(name: str) -> None:
    rules = (hub_acl([], ["barn"]) if FILES[name] else acl([])).split("\n\n")
    own = [part for part in rules if part.startswith("user telegraf")]
    lines = [line for part in own for line in part.splitlines()[1:]]
    allowed = {line.removeprefix("topic read ") for line in lines if line}
    # A hub's broker grants what every broker does, for its own services.
    beyond = {pattern(topic, "", {}) for topic in METRICS} if FILES[name] else set()

    assert {topic for one in inputs(name) for topic in one["topics"]} == allowed - beyond
    assert not any("write" in line for line in lines)


def test_secrets_come_from_files_and_rows_go_to_the_raw_bucket(name: str) -> None:
    (output,) = read(name)["outputs"]["influxdb_v2"]

    assert output["token"] == "@{secrets:influxdb_token}"  # noqa: S105 (a reference)
    assert output["bucket"] == RAW_BUCKET
    assert {one["password"] for one in inputs(name)} == {"@{secrets:mqtt_password}"}


def test_mosquitto_says_each_of_these_figures(broker: Broker) -> None:
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    heard: dict[str, float] = {}
    client.on_message = lambda _client, _data, m: heard.update({m.topic: float(m.payload)})
    client.username_pw_set(OBSERVER, password(broker.folder, OBSERVER))
    client.connect("127.0.0.1", broker.port)
    client.subscribe([(topic, 0) for topic in BROKER_TOPICS])
    client.loop_start()

    wait_until(lambda: set(heard) == set(BROKER_TOPICS), "every figure is said")
    client.disconnect()
    client.loop_stop()
