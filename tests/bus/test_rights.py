"""The access control list on a real broker: every right is there, and nothing beyond it."""

import itertools
from collections.abc import Callable, Iterable, Iterator

import paho.mqtt.client as paho
import pytest
from bus.rights import OBSERVER, SERVICES, acl
from bus.topics import MEDIA, REPLY, REQUESTS, TOPICS, AnyTopic, address
from conftest import Broker, wait_until
from paho.mqtt.enums import CallbackAPIVersion
from station.broker import password

NAME = "csi"
"""Of every instance that has a name; what is of another camera or relay is somebody else's."""
OTHER = "usb"
LEVELS = ("camera", "relay", "instance", "track", "session")
ALL: tuple[AnyTopic, ...] = (*TOPICS, *REQUESTS, *MEDIA)


class Client:
    """Somebody who is logged in; counts what arrives and what was refused."""

    def __init__(self, broker: Broker, user: str) -> None:
        self.heard: set[str] = set()
        self.answers: dict[int, int] = {}
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.username_pw_set(user, password(broker.folder, user))
        self._client.on_message = lambda _c, _u, message: self.heard.add(message.topic)
        self._client.on_publish = lambda _c, _u, mid, code, _p: self.answers.update(
            {mid: code.value}
        )
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()

    def publish(self, topic: str) -> int:
        """The reason code of PUBACK."""
        mid = self._client.publish(topic, b"x", 1).mid
        wait_until(lambda: mid in self.answers, f"PUBACK for {topic}")
        return self.answers[mid]

    def subscribe(self, topic: str) -> None:
        done: list[int] = []
        self._client.on_subscribe = lambda *_: done.append(1)
        self._client.subscribe(topic, 1)
        wait_until(lambda: done, "SUBACK")

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


Login = Callable[[str], Client]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One for all of these tests: nothing is retained."""
    broker = Broker(tmp_path_factory.mktemp("mosquitto"))
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def login(broker: Broker) -> Iterator[Login]:
    clients: list[Client] = []

    def login(user: str) -> Client:
        clients.append(Client(broker, user))
        return clients[-1]

    yield login
    for client in clients:
        client.close()


def instance_of(service: str) -> str:
    return f"{service}-{NAME}" if SERVICES[service].own else service


def names(topic: AnyTopic, **fixed: str) -> set[str]:
    """A topic of every camera, relay and instance but where a level is fixed."""
    choices = [{fixed[level]} if level in fixed else {NAME, OTHER} for level in LEVELS]
    return {
        address(topic, **dict(zip(LEVELS, chosen, strict=True)))
        for chosen in itertools.product(*choices)
    }


def all_names(topics: Iterable[AnyTopic], **fixed: str) -> set[str]:
    return {name for topic in topics for name in names(topic, **fixed)}


def declared(service: str) -> tuple[set[str], set[str]]:
    """What it may say and hear, worked out from the table alone."""
    rights = SERVICES[service]
    mine = {rights.own: NAME} if rights.own else {}
    own = f"beeper/service/{instance_of(service)}"
    answers = {REPLY.format(instance=name) for name in (NAME, OTHER)}
    said = mine | ({"track": rights.track} if rights.track else {})
    says = all_names((*rights.says, *rights.asks), **said) | {f"{own}/status", f"{own}/echo"}
    hears = all_names((*rights.hears, *rights.answers), **mine) | {f"{own}/echo"}
    says |= answers if rights.answers else set()
    hears |= {f"{own}/reply"} if rights.asks else set()
    return says, hears


def everything() -> set[str]:
    """Every topic of the contract, of two cameras and instances, and some of nobody's."""
    found = all_names(ALL) | {REPLY.format(instance=name) for name in (NAME, OTHER)}
    return found | {"beeper/x", "media/x", "elsewhere", "stations/barn/beeper/x"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_says_only_what_is_its_own(service: str, login: Login) -> None:
    says, _ = declared(service)
    client = login(instance_of(service))
    for topic in sorted(everything() | says):
        refused = client.publish(topic) == 0x87
        assert refused == (topic not in says), topic


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_hears_only_what_it_consumes(service: str, login: Login, broker: Broker) -> None:
    _, hears = declared(service)
    client = login(instance_of(service))
    client.subscribe("#")
    last = f"beeper/service/{instance_of(service)}/echo"
    speak(broker, [*sorted((everything() | hears) - {last}), last])
    wait_until(lambda: last in client.heard, "the last")
    assert client.heard == hears


def speak(broker: Broker, topics: list[str]) -> None:
    """Say something on each topic, as the test that may do everything; in order."""
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    for topic in topics:
        client.publish(topic, b"x", 1).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


def test_the_observer_hears_the_beeper_and_says_nothing(login: Login, broker: Broker) -> None:
    observer = login(OBSERVER)
    observer.subscribe("#")
    topics = sorted(everything())
    assert {observer.publish(topic) for topic in topics} == {0x87}
    speak(broker, [*topics, "beeper/last"])
    wait_until(lambda: "beeper/last" in observer.heard, "the last")
    wanted = {topic for topic in topics if topic.startswith("beeper/")}
    assert observer.heard == wanted | {"beeper/last"}


def test_below_a_station_everything_stands_below_its_root() -> None:
    lines = [line for line in acl(["web"], "barn").splitlines() if line.startswith("topic")]
    assert all("stations/barn/" in line or "$SYS" in line for line in lines)
