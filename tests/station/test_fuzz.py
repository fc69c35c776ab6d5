"""Whatever arrives on any topic that a service hears is dropped and counted, and it works on."""

import contextlib
import http.client
import itertools
import json
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import paho.mqtt.client as paho
import pytest
from bus.connection import user_properties
from bus.rights import SERVICES
from bus.topics import (
    AAC_LEASE,
    INIT,
    JPEG,
    REPLY,
    SERVICE_ECHO,
    AnyTopic,
    MediaTopic,
    Request,
    address,
)
from conftest import Broker, Service, Start, free_port, wait_until
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisDeprecationWarning
from paho.mqtt.enums import CallbackAPIVersion
from web_station import Frame, Web, messages

SETTINGS = {
    "BEEPER_MQTT__STATUS_INTERVAL": "0.2",
    "BEEPER_CAMERA__CSI__DRIVER": "test",
    "BEEPER_CAMERA__CSI__AUDIO": "test",
    "BEEPER_SENSORS__INTERVAL": "0.5",
    "BEEPER_SENSORS__BME680__DRIVER": "simulated",
    "BEEPER_SENSORS__AUDIO__DRIVER": "camera",
    "BEEPER_SENSORS__AUDIO__CAMERA": "csi",
    "BEEPER_STEPPER__ENABLED": "true",
    "BEEPER_STEPPER__DRIVER": "simulated",
    "BEEPER_RELAY__CSI__CAMERA": "csi",
    "BEEPER_RELAY__CSI__STATUS_INTERVAL": "0.2",
    "BEEPER_RELAY__CSI__BACKOFF_MIN": "0.1",
    "BEEPER_RELAY__CSI__BACKOFF_MAX": "0.5",
}
"""Of every service, so that a new one needs only what it cannot start without."""
NAME = "csi"
"""Of the camera, and of whatever runs once for each name."""
LEVELS = ("camera", "relay", "instance", "track", "session")
HUGE = 10**30
PORTION = 15
"""Topics that are filled with rubbish before anybody is waited for."""

NONSENSE: tuple[bytes, ...] = (
    b"\x00\xff\xfe",
    b"{",
    b"null",
    b"[]",
    b'"x"',
    b"-0",
    b"1e999",
    b"9" * 5000,
    b"[" * 100_000,
    b'{"x":' * 50_000,
    b'{"timestamp": "now"}',
    b'{"timestamp": NaN}',
    b'{"timestamp": -1e308}',
    b'{"timestamp": 1, "name": "\\ud800"}\xff',
    b'{"id": "\xed\xa0\x80"}',
    b'{"timestamp": 1, "' + b"x" * 300_000 + b'": 1}',
)
"""No message of any topic."""
Properties = dict[str, str]
NONE: Properties = {}
PROPERTIES: tuple[Properties, ...] = (
    NONE,
    {"session": ""},
    {"session": "x" * 5000, "codecs": "\u202e<img>", "width": "-1", "height": "1e9"},
    {"session": "../#", "capture": "nan", "codecs": ""},
    {str(number): "" for number in range(100)},
)


class Instance:
    """A running service, what it hears, and how much of that it must have dropped."""

    def __init__(self, service: str, process: Service) -> None:
        rights = SERVICES[service]
        self.name = "-".join(words(service))
        self.process = process
        # What it says itself it reads only to begin with.
        self.hears = {*rights.hears, *rights.answers} - {*rights.says}
        self.floor = 0


def words(service: str) -> tuple[str, ...]:
    """How it is started."""
    return (service, NAME) if SERVICES[service].own else (service,)


class Fuzzer:
    """Says what it likes, and hears what the services say of themselves."""

    def __init__(self, broker: Broker) -> None:
        self.kept: dict[str, tuple[bytes, str]] = {}
        """Topic → the newest message with its session."""
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_message = self._hear
        self._client.connect("127.0.0.1", broker.port)
        self._client.subscribe([("beeper/service/+/status", 1), ("media/+/+/init", 1)])
        self._client.subscribe([("beeper/relay/+/status", 1), ("beeper/sensors/#", 1)])
        self._client.subscribe("media/+/+/fragment/+", 0)
        self._client.loop_start()

    def _hear(self, _client: Any, _userdata: Any, message: paho.MQTTMessage) -> None:
        told = dict(getattr(message.properties, "UserProperty", []))
        self.kept[message.topic] = bytes(message.payload), told.get("session", "")

    def say(
        self, topic: str, payload: bytes, properties: Properties = NONE, retain: bool = False
    ) -> None:
        """Publish and wait until the broker has it."""
        about = user_properties(properties)
        self._client.publish(topic, payload, 1, retain, about).wait_for_publish(10)

    def about(self, topic: str) -> dict[str, Any]:
        """The newest message of a topic; empty when there is none that can be read."""
        try:
            found = json.loads(self.kept[topic][0])
        except (KeyError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def counted(self, instance: Instance) -> int:
        """What a service says that it has dropped."""
        about = self.about(f"beeper/service/{instance.name}/status")
        return int(about.get("invalid_messages", -1))

    def wait_counted(self, instance: Instance, what: str) -> None:
        """Wait until a service has dropped what it must have."""
        name, floor = instance.name, instance.floor
        wait_until(lambda: self.counted(instance) >= floor, f"{name}: {what}, {floor} dropped")

    def newest(self, beginning: str) -> str:
        """A topic of which something has come."""
        return next((topic for topic in reversed(self.kept) if topic.startswith(beginning)), "")

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def fuzzer(broker: Broker) -> Iterator[Fuzzer]:
    fuzzer = Fuzzer(broker)
    yield fuzzer
    fuzzer.close()


def name_of(topic: AnyTopic, **levels: str) -> str:
    given = dict.fromkeys(LEVELS, NAME) | {"track": "video", "session": "nonsense"} | levels
    return address(topic, **given)


def drawn(strategy: st.SearchStrategy[Any], number: int) -> list[Any]:
    """Always the same examples of a strategy."""
    found: list[Any] = []

    @settings(max_examples=number, derandomize=True, database=None, deadline=None)
    @given(strategy)
    def draw(example: Any) -> None:
        found.append(example)

    with warnings.catch_warnings():
        # The threads of paho draw random numbers meanwhile, which Hypothesis takes for ours.
        warnings.simplefilter("ignore", HypothesisDeprecationWarning)
        draw()
    return found[:number]


def shaped(topic: AnyTopic) -> list[bytes]:
    """Messages as the topic's schema allows them, which are the worst ones; and pieces of them."""
    model = topic.query if isinstance(topic, Request) else topic.model  # type: ignore[union-attr]
    schema = model.model_json_schema()
    examples = drawn(by_schema(schema, schema.get("$defs", {})), 8)
    whole = [json.dumps(example).encode() for example in examples]
    return whole + [text[: len(text) // 2] for text in whole]


def by_schema(schema: dict[str, Any], known: dict[str, Any]) -> st.SearchStrategy[Any]:
    """What a JSON schema of pydantic's allows, about; with the extremes of each type."""
    if "$ref" in schema:
        schema = known[schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        return st.one_of([by_schema(choice, known) for choice in schema["anyOf"]])
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    match schema.get("type"):
        case "object":
            parts = {k: by_schema(v, known) for k, v in schema.get("properties", {}).items()}
            needed = {k: v for k, v in parts.items() if k in schema.get("required", ())}
            return st.fixed_dictionaries(
                needed, optional={k: parts[k] for k in parts.keys() - needed.keys()}
            )
        case "array":
            return st.lists(by_schema(schema.get("items", {}), known), max_size=3)
        case "string":
            plain = st.text(min_size=1, max_size=schema.get("maxLength", 300))
            return (
                st.from_regex(schema["pattern"], fullmatch=True) if "pattern" in schema else plain
            )
        case "integer":
            least, most = schema.get("minimum", -HUGE), schema.get("maximum", HUGE)
            return st.sampled_from([least, most]) | st.integers(least, most)
        case "number":
            least = schema.get("minimum", schema.get("exclusiveMinimum", -1.7e308) + 1e-9)
            most = schema.get("maximum", schema.get("exclusiveMaximum", 1.7e308) - 1e-6)
            return st.sampled_from([least, most]) | st.floats(least, most)
    return st.none() | st.booleans() | st.text()


def mutilated(data: bytes) -> list[bytes]:
    """A binary message with pieces missing, doubled and replaced."""
    cuts = [data[:end] for end in (0, 1, 7, 8, 24, 60, 100, len(data) // 2, len(data) - 1)]
    places = st.tuples(st.integers(0, min(len(data), 200)), st.binary(min_size=1, max_size=8))
    changed = [data[:at] + new + data[at + len(new) :] for at, new in drawn(places, 20)]
    return [*cuts, data * 2, data[::-1], b"\xff" * 4096, b"\0\0\0\1mdat", *changed]


def publish(fuzzer: Fuzzer, running: list[Instance], topics: Iterable[AnyTopic]) -> None:
    """All that is no message of these JSON topics, and all that just about is one."""
    for topic in topics:
        for payload, properties in zip(NONSENSE, itertools.cycle(PROPERTIES)):
            fuzzer.say(name_of(topic), payload, properties)
        for payload in (b"", *shaped(topic)):
            fuzzer.say(name_of(topic), payload)
    for instance in running:
        instance.floor += len(NONSENSE) * len(instance.hears.intersection(topics))
        fuzzer.wait_counted(instance, "JSON")


def portions(topics: Iterable[AnyTopic]) -> Iterator[list[AnyTopic]]:
    """Some at a time: the broker keeps 8 MiB for whoever is slow, and no more."""
    left = list(topics)
    while left:
        yield left[:PORTION]
        del left[:PORTION]


def publish_media(fuzzer: Fuzzer, running: list[Instance]) -> None:
    """Headers and fragments of the session that is under way, mutilated, among the true ones."""
    before = {instance.name: fuzzer.counted(instance) for instance in running}
    for track in ("video", "audio", "aac"):
        fragment = fuzzer.newest(f"media/{NAME}/{track}/fragment/")
        init = name_of(INIT, track=track)
        header, session = fuzzer.kept[init]
        for payload in mutilated(fuzzer.kept[fragment][0]):
            fuzzer.say(fragment, payload)
        for payload, properties in zip(mutilated(header), itertools.cycle(PROPERTIES)):
            fuzzer.say(init, payload, properties)
            fuzzer.say(init, payload, {"session": session})
    for payload in mutilated(b"\xff\xd8\xff\xe0"):
        fuzzer.say(name_of(JPEG), payload, {"capture": "1e999"})
    for instance in running:
        if any(isinstance(topic, MediaTopic) for topic in instance.hears):
            instance.floor = before[instance.name] + 1
            fuzzer.wait_counted(instance, "media")


@contextlib.contextmanager
def watching(web: Web, fuzzer: Fuzzer) -> Iterator[None]:
    """Somebody looks and listens in every way, so that every service has work."""
    stream = http.client.HTTPConnection(web.host)
    stream.request("GET", f"/camera/stream.mjpg?camera={NAME}")
    with contextlib.closing(stream), web.socket(f"live/{NAME}"):
        fuzzer.say(name_of(AAC_LEASE), b'{"holder": "fuzz", "seconds": 120}')
        wait_until(lambda: fuzzer.newest(f"media/{NAME}/aac/fragment/"), "the sound as AAC")
        yield


def prove(web: Web, fuzzer: Fuzzer, running: list[Instance]) -> None:
    """Each service does its work, through the others."""
    fuzzer.kept.clear()
    with web.socket(f"live/{NAME}") as socket:
        assert any(isinstance(message, Frame) for message in messages(socket)), "camera, web"
    wait_until(lambda: web.get(f"/camera/snapshot.jpg?camera={NAME}").status == 200, "stills")
    assert web.get(f"/{NAME}_camera/whep/nobody", "DELETE").status == 404, "webrtc answers"
    wait_until(lambda: web.get("/api/stepper/abort", "POST").status == 200, "stepper")
    said = web.post("/api/chat/send", {"message": "still here"})
    assert said.status == 200, "chat"
    wait_until(lambda: fuzzer.newest(f"media/{NAME}/aac/fragment/"), "aac")
    wait_until(lambda: fuzzer.about("beeper/sensors/bme680/all"), "sensors")
    relay = f"beeper/relay/{NAME}/status"
    wait_until(lambda: "refuses" in str(fuzzer.about(relay).get("error")), "relay tries again")
    for instance in running:
        status = f"beeper/service/{instance.name}/status"
        wait_until(lambda name=status: fuzzer.about(name), status)  # type: ignore[misc]


def test_no_service_dies_of_what_it_hears(broker: Broker, start: Start, fuzzer: Fuzzer) -> None:
    topics = {
        topic: None for rights in SERVICES.values() for topic in (*rights.hears, *rights.answers)
    }
    for topic in topics:
        fuzzer.say(name_of(topic), NONSENSE[-1], retain=True)
    target = {"BEEPER_RELAY__CSI__URL": f"rtsp://127.0.0.1:{free_port()}/csi"}
    web = Web(start, **SETTINGS, BEEPER_ACCESS__OPERATORS='["local-127.0.0.1"]')
    running = [Instance("web", web.service)]
    for service in SERVICES.keys() - {"web"}:
        running.append(Instance(service, start(*words(service), **SETTINGS, **target)))
    for instance in running:
        fuzzer.wait_counted(instance, "it is there")
    web.knows(NAME)
    with watching(web, fuzzer):
        for some in portions(topic for topic in topics if not isinstance(topic, MediaTopic)):
            publish(fuzzer, running, some)
        for instance in running:
            fuzzer.say(REPLY.format(instance=instance.name), b"{")
            fuzzer.say(name_of(SERVICE_ECHO, instance=instance.name), b"[")
        publish_media(fuzzer, running)
    for instance in running:
        assert instance.process.process.poll() is None, instance.process.log()
        assert "Traceback" not in instance.process.log(), instance.process.log()
    prove(web, fuzzer, running)
