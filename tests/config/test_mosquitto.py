"""mosquitto/ as it is shipped, on a real broker: what it lets in, and what nobody can use up."""

import asyncio
import contextlib
import re
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import paho.mqtt.client as paho
import psutil
import pytest
from bridged import certify, listener
from bus import Bus, Settings
from bus.settings import Mqtt
from bus.topics import FRAGMENT, STEPPER_STATUS, address
from conftest import DEADLINE, Broker, free_port, wait_until
from paho.mqtt.enums import CallbackAPIVersion
from station import bridge, limits
from station import broker as files
from station.doctor.programs import answer
from station.installation import BROKER_MEMORY


async def test_a_service_elsewhere_logs_in_over_tls(tmp_path: Path) -> None:
    certify(tmp_path)
    port = free_port()
    broker = Broker(tmp_path)
    broker.require_password(listener(tmp_path, port))
    login = broker.login("sensors")
    mqtt = Mqtt(
        port=port,
        tls=True,
        ca_file=tmp_path / "ca.crt",
        username=login["BEEPER_MQTT__USERNAME"],
        password_file=Path(login["BEEPER_MQTT__PASSWORD_FILE"]),
    )
    bus = Bus(Settings(mqtt=mqtt), "sensors", "0")
    task = asyncio.create_task(bus.run())
    try:
        async with asyncio.timeout(DEADLINE):
            await bus.link.ready()
            assert await bus.echo() > 0
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        broker.stop()


def test_it_listens_where_it_was_told_and_nowhere_else(broker: Broker) -> None:
    sockets = psutil.Process(broker.pid).net_connections("inet")
    heard = [one.laddr for one in sockets if one.status == psutil.CONN_LISTEN]
    assert heard == [("127.0.0.1", broker.port)]


SILENT = 1100
"""Connections that say nothing: more than a process has descriptors by default."""
STRANGER = """
import select, socket, sys
ends = select.poll()
for _ in range(int(sys.argv[2])):
    one = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    ends.register(one.detach(), select.POLLIN | select.POLLHUP)
print("ready", flush=True)
for _ in sys.stdin:
    print(int(sys.argv[2]) - len(ends.poll(0)), flush=True)
"""
RIGHT_COUNT = (2, 0, 12)
"""Before, Mosquitto counted a connection that ends twice, so that its limit grew."""
MAD = 2_000_000
"""Bytes of each fragment of a camera gone mad."""
AFTER = 60
"""Fragments of the other camera once the broker's limit has been reached."""
HOUR = 4 * 3600
"""Messages of the busiest topic in an hour, and the bytes of one (mosquitto.conf)."""
BUSY = b"x" * 340


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short name: a socket's path has 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="beeper-") as name:
        yield Path(name)


@pytest.fixture
def station(folder: Path) -> Iterator[Broker]:
    """A broker as `make run` starts it, with nobody let in without a name."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits.raised(limits.BROKER), hard))
    broker = Broker(folder)
    broker.require_password()
    yield broker
    broker.stop()


class Client:
    """A service's connection by the services' socket; counts what it hears."""

    def __init__(self, broker: Broker, user: str, *, session: str = "") -> None:
        self.heard: list[bytes] = []
        self.lost = 0
        self._subscribed: list[object] = []
        self.paho = paho.Client(
            CallbackAPIVersion.VERSION2,
            session,
            clean_session=not session,
            protocol=paho.MQTTv311,
            transport="unix",
        )
        self.paho.username_pw_set(user, files.password(broker.folder, user))
        self.paho.max_inflight_messages_set(1000)
        self.paho.max_queued_messages_set(0)
        self.paho.on_message = lambda _c, _u, message: self.heard.append(bytes(message.payload))
        self.paho.on_disconnect = lambda *_: setattr(self, "lost", self.lost + 1)
        self.paho.on_subscribe = lambda *_: self._subscribed.append(1)
        path = files.socket_of(broker.folder)
        assert path
        self.paho.connect(str(path), 1883, keepalive=5)
        self.paho.loop_start()
        wait_until(self.paho.is_connected, f"{user} is let in")

    def hear(self, topic: str, qos: int = 0) -> None:
        self.paho.subscribe(topic, qos)
        wait_until(lambda: self._subscribed, "SUBACK")

    def sent(self) -> bool:
        return not self.paho._out_messages

    def close(self) -> None:
        self.paho.on_disconnect = None
        self.paho.disconnect()
        self.paho.loop_stop()


@contextlib.contextmanager
def silent(port: int) -> Iterator[Callable[[], int]]:
    """Connections of another process that never say a word; how many of them are still open."""
    command = [sys.executable, "-c", STRANGER, str(port), str(SILENT)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as stranger:
        assert stranger.stdin and stranger.stdout
        lines, questions = stranger.stdout, stranger.stdin
        assert lines.readline() == "ready\n"

        def still() -> int:
            questions.write("\n")
            questions.flush()
            return int(lines.readline())

        yield still
        questions.close()


def test_silent_connections_take_the_place_of_no_service(station: Broker) -> None:
    early = Client(station, "stills")
    for _ in range(files.OTHERS):
        socket.create_connection(("127.0.0.1", station.port)).close()
    with silent(station.port) as still:
        if version() >= RIGHT_COUNT:
            wait_until(lambda: still() <= files.OTHERS, "what is too much is closed")
        late = Client(station, "camera-csi")
        early.hear("media/#")
        late.paho.publish(address(FRAGMENT, "", camera="csi", track="video", session="1"), b"x")
        wait_until(lambda: early.heard, "a picture passes")
        assert not early.lost and not late.lost
        late.close()
    early.close()
    # The places are free again.
    wait_until(lambda: stays(station.port), "there is room again")


def version() -> tuple[int, ...]:
    """Mosquitto's."""
    found = re.search(r"version (\d+)\.(\d+)\.(\d+)", answer("mosquitto", "-h"))
    assert found
    return tuple(map(int, found.groups()))


def stays(port: int) -> bool:
    """Whether a connection that says nothing is kept."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as one:
        one.settimeout(0.2)
        try:
            return one.recv(1) != b""
        except TimeoutError:
            return True
    return False


def has(client: Client, count: int) -> bool:
    return len(client.heard) >= count


class Deaf:
    """Subscribes, says that it lives, and reads nothing."""

    def __init__(self, broker: Broker, user: str, topic: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(files.socket_of(broker.folder)))
        word = files.password(broker.folder, user)
        payload = b"".join(len(t).to_bytes(2) + t for t in (b"deaf", user.encode(), word.encode()))
        self._packet(0x10, b"\0\4MQTT\4\xc2\0\x3c" + payload)
        assert self._socket.recv(4)[3] == 0, "let in"
        self._packet(0x82, b"\0\1" + len(topic).to_bytes(2) + topic.encode() + b"\0")

    def _packet(self, kind: int, body: bytes) -> None:
        assert len(body) < 128
        self._socket.sendall(bytes([kind, len(body)]) + body)

    def close(self) -> None:
        self._socket.close()


def test_a_camera_gone_mad_stops_neither_the_broker_nor_the_other_camera(station: Broker) -> None:
    """A reader that takes nothing lets its pictures pile up, to the broker's own limit."""
    process = psutil.Process(station.pid)
    deaf = Deaf(station, "web", "media/#")
    viewer, good, mad = (Client(station, user) for user in ("stills", "camera-csi", "camera-usb"))
    fragment = {"track": "video", "session": "1"}
    viewer.hear(address(FRAGMENT, "", camera="csi", **fragment))
    name = address(FRAGMENT, "", camera="usb", **fragment)
    over = threading.Event()

    def rage() -> None:
        end = time.monotonic() + DEADLINE
        while not over.is_set() and (mad.lost or time.monotonic() < end):
            if mad.paho.is_connected() and not mad.paho.want_write():
                mad.paho.publish(name, bytes(MAD))
            else:
                over.wait(0.01)

    thread = threading.Thread(target=rage)
    thread.start()
    most = 0
    count = 0
    try:
        left = AFTER
        while left:
            left -= bool(mad.lost)
            assert mad.lost or thread.is_alive(), "never: the flood reaches the broker's limit"
            said = b"%06d" % count + bytes(6000)
            good.paho.publish(address(FRAGMENT, "", camera="csi", **fragment), said)
            count += 1
            most = max(most, process.memory_info().rss)
            wait_until(partial(has, viewer, count), "the other camera's picture arrives")
    finally:
        over.set()
        thread.join()
        for client in (viewer, good, mad, deaf):
            client.close()
    assert mad.lost, "the flood went to the limit, and it was the flood that lost its connection"
    assert process.is_running() and most < BROKER_MEMORY
    assert count > 10 and len(viewer.heard) == count and not good.lost and not viewer.lost


def test_an_hour_of_the_busiest_topic_waits_for_who_has_a_session(station: Broker) -> None:
    waiting = Client(station, "history", session="history-away")
    waiting.hear(address(STEPPER_STATUS, ""), 1)
    waiting.close()
    motor = Client(station, "stepper")
    for number in range(HOUR):
        motor.paho.publish(address(STEPPER_STATUS, ""), b"%05d" % number + BUSY[5:], 1)
    wait_until(motor.sent, "the broker has acknowledged all of it", 120)
    motor.close()
    back = Client(station, "history", session="history-away")
    wait_until(lambda: len(back.heard) >= HOUR, "all of it has come", 120)
    assert [int(said[:5]) for said in back.heard[:HOUR]] == list(range(HOUR))
    back.close()


def test_the_limits_are_one_below_the_other() -> None:
    """What the broker refuses lies below what ends it, with room for what is no heap."""
    shipped = dict(
        line.split(maxsplit=1)
        for line in files.SOURCE.read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    )
    assert int(shipped["memory_limit"]) == bridge.LIMIT
    assert bridge.LIMIT + bridge.SPARE <= BROKER_MEMORY
    assert int(shipped["max_queued_messages"]) >= HOUR
    assert int(shipped["max_queued_bytes"]) >= HOUR * len(BUSY)
