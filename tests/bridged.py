"""Stations and a hub: a real broker each, bridged over TLS through a cable that can be cut."""

import subprocess
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import paho.mqtt.client as paho
from bus.hub import Hub
from bus.rights import OBSERVER
from cable import Cable
from conftest import DEADLINE, free_port, mosquitto, wait_until
from paho.mqtt.enums import CallbackAPIVersion
from station import bridge
from station.broker import environment, password, password_file, prepare

CERTIFICATE = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
ANYBODY = "anybody"
"""A user of the tests, who may do everything."""


def certify(folder: Path, host: str = "127.0.0.1") -> None:
    """A certificate that is its own authority."""
    command = ["openssl", *CERTIFICATE.split(), "-addext", f"subjectAltName=IP:{host}"]
    command += ["-keyout", str(folder / "server.key"), "-out", str(folder / "server.crt")]
    subprocess.run(command, check=True, capture_output=True)
    (folder / "ca.crt").write_bytes((folder / "server.crt").read_bytes())


def listener(folder: Path, port: int, host: str = "127.0.0.1") -> str:
    """The encrypted listener as it is shipped, on a port of this machine."""
    shipped = Path("mosquitto/tls.conf").read_text(encoding="utf-8")
    return shipped.replace("/mosquitto/tls", str(folder)).replace("8883", f"{port} {host}")


class Mosquitto:
    """A broker as it is shipped, with users for these services and stations."""

    def __init__(self, folder: Path, instances: Iterable[str], **options: Any) -> None:
        self.folder = folder
        self.port = free_port()
        self._command = prepare(folder, instances, self.port, **options)
        self._let_in()
        self.start()

    def _let_in(self) -> None:
        place = self.folder / "mosquitto"
        with (place / "acl").open("a", encoding="utf-8") as rights:
            rights.write(f"\nuser {ANYBODY}\ntopic readwrite #\n")
        command = ["mosquitto_passwd", "-b", str(place / "passwords"), ANYBODY]
        subprocess.run([*command, password(self.folder, ANYBODY)], check=True, capture_output=True)

    def start(self) -> None:
        self._process = mosquitto(self._command, self.port)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(DEADLINE)

    def login(self, instance: str) -> dict[str, str]:
        return environment(self.folder, instance)


class HubBroker(Mosquitto):
    """The broker of a hub."""

    def __init__(
        self,
        folder: Path,
        stations: Iterable[str],
        instances: Iterable[str],
        host: str = "127.0.0.1",
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        certify(folder, host)
        self.tls_port = free_port()
        more = listener(folder, self.tls_port, host)
        super().__init__(folder, instances, stations=stations, more=more)


class StationBroker(Mosquitto):
    """The broker of a station, with a bridge to a hub."""

    def __init__(
        self, folder: Path, name: str, hub: HubBroker, instances: Iterable[str], outage: float = 600
    ) -> None:
        self.name = name
        self.cable = Cable(hub.tls_port)
        self.hub = Hub(
            host="127.0.0.1",
            port=self.cable.port,
            station=name,
            password_file=password_file(hub.folder, name),
            ca_file=hub.folder / "ca.crt",
            outage=outage,
        )
        super().__init__(folder, instances, more=bridge.configuration(self.hub))

    @property
    def settings(self) -> dict[str, str]:
        """What the services of this station know of the hub."""
        values = self.hub.model_dump(mode="json", exclude_defaults=True)
        return {f"BEEPER_HUB__{key.upper()}": str(value) for key, value in values.items()}


class Place(NamedTuple):
    """A hub and its stations."""

    hub: HubBroker
    barn: StationBroker
    coop: StationBroker


class Client:
    """Somebody logged in; keeps what is heard, in order: topic, payload; and when (Unix time)."""

    def __init__(self, broker: Mosquitto, user: str = OBSERVER, *topics: str) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.times: list[float] = []
        self.properties: dict[str, Any] = {}
        self._answers: dict[int, int] = {}
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.username_pw_set(user, password(broker.folder, user))
        self._client.max_inflight_messages_set(1000)
        self._client.max_queued_messages_set(0)
        self._client.on_message = self._take
        self._client.on_publish = lambda _c, _u, mid, code, _p: self._answers.update(
            {mid: code.value}
        )
        ready = threading.Event()
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        for topic in topics:
            ready.clear()
            self._client.subscribe(topic, 1)
            assert ready.wait(DEADLINE)

    def _take(self, _client: Any, _userdata: Any, message: paho.MQTTMessage) -> None:
        self.times.append(time.time())
        self.heard.append((message.topic, bytes(message.payload)))
        self.properties[message.topic] = dict(getattr(message.properties, "UserProperty", []))

    def publish(self, topic: str, payload: bytes, retain: bool = True, **more: Any) -> int:
        """The id of what was sent."""
        return self._client.publish(topic, payload, 1, retain, **more).mid

    def answer(self, mid: int) -> int:
        """The reason code of PUBACK."""
        wait_until(lambda: mid in self._answers, "PUBACK")
        return self._answers[mid]

    def delivered(self) -> None:
        """Wait until the broker has taken everything."""
        wait_until(lambda: not self._client._out_messages, "all PUBACKs")

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
