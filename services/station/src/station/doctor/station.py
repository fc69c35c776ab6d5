"""The station as it runs here, or the ports that it would need."""

import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from bus.rights import OBSERVER
from bus.topics import SERVICE_STATUS, pattern
from paho.mqtt.enums import CallbackAPIVersion

from station import broker, plan

from .verdict import Verdict, fail, ok, warn

PATIENCE = 3.0
"""Seconds for the broker to answer."""
QUIET = 0.5
"""Seconds without another retained message, after which there is none left."""
LOST_AFTER = 30.0
"""Seconds after which a status counts as lost, whatever it says."""
LOGS = "journalctl -u 'beeper-*' -n 50, or what make run says"


def running(settings: dict[str, Any], folder: Path) -> Iterator[Verdict]:
    """Page and broker, when they are there; else whether their ports are free."""
    web, bus = settings["web"], settings["mqtt"]
    here = bus["host"] in plan.LOOPBACK
    if here and not plan.taken("127.0.0.1", bus["port"]):
        yield warn(f"no broker on port {bus['port']}", "sudo make install, or make run")
    else:
        yield from heard(settings, folder)
    yield page(web["host"], web["port"])
    yield from units()


def page(host: str, port: int) -> Verdict:
    """Whether the page is there."""
    if not plan.taken(host, port):
        return warn(f"nothing on port {port}, the page's", "sudo make install, or make run")
    at = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 (it is compared only)
    try:
        with urllib.request.urlopen(f"http://{at}:{port}/healthz", timeout=PATIENCE) as answer:
            state = json.load(answer)
    except (OSError, ValueError):
        other = "another program holds it, or the page hangs: ss -ltnp, or another web.port"
        return fail(f"port {port} does not answer as the page", other)
    wrong = "; ".join(state.get("degraded", []))
    return warn(f"the page is there, and says: {wrong}", LOGS) if wrong else ok("the page is well")


def heard(settings: dict[str, Any], folder: Path) -> Iterator[Verdict]:
    """Log in as the observer and hear what the services say of themselves."""
    bus = settings["mqtt"]
    where = f"{bus['host']}:{bus['port']}"
    file = broker.password_file(folder, OBSERVER)
    try:
        word = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        yield warn(f"{file}: {error.strerror}, so the broker was not asked", "sudo make doctor")
        return
    said: dict[str, dict[str, Any]] = {}
    trouble = listen(
        bus["host"], bus["port"], word, pattern(SERVICE_STATUS, settings["station"], {}), said
    )
    if trouble:
        yield fail(f"the broker at {where}: {trouble}", f"journalctl -u beeper-mosquitto; {LOGS}")
        return
    yield ok(f"the broker at {where} answers and knows {len(said)} services")
    for topic, status in sorted(said.items()):
        name = topic.split("/")[-2]
        age = time.time() - status.get("timestamp", 0)
        if status.get("state") != "online" or age > LOST_AFTER:
            yield warn(f"{name} is {status.get('state')}, said {age:.0f} s ago", LOGS)


def listen(
    host: str, port: int, word: str, topics: str, said: dict[str, dict[str, Any]]
) -> str | None:
    """Collect what is retained; what went wrong, if anything did."""
    answers: list[str] = []
    done: list[bool] = []
    closing = False
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.username_pw_set(OBSERVER, word)

    def connected(_client: mqtt.Client, _: Any, _flags: Any, code: Any, _properties: Any) -> None:
        answers.append("" if code == 0 else str(code))
        if code == 0:
            client.subscribe(topics, 1)

    def arrived(_client: mqtt.Client, _: Any, message: mqtt.MQTTMessage) -> None:
        said[message.topic] = json.loads(message.payload)

    client.on_connect, client.on_message = connected, arrived
    client.on_subscribe = lambda *_: done.append(True)
    try:
        client.connect(host, port)
    except OSError as error:
        return str(error)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and not any(answers):
        known = len(said)
        client.loop(0.1)
        if len(said) > known or (done and not closing):
            closing = bool(done)
            end = time.monotonic() + QUIET
    client.disconnect()
    return "does not answer" if not answers else answers[0] or None


def units() -> Iterator[Verdict]:
    """Units of ours that systemd could not start."""
    if not Path("/run/systemd/system").is_dir():
        return
    ran = subprocess.run(
        ["systemctl", "list-units", "--failed", "--plain", "--no-legend", "beeper-*"],
        capture_output=True,
        text=True,
        check=False,
    )
    for line in ran.stdout.splitlines():
        unit = line.split()[0]
        yield fail(f"{unit} has failed", f"journalctl -u {unit} -n 50")
