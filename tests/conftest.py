"""Real parts for the tests: a Mosquitto on a free port, services as users start them."""

import collections
import contextlib
import itertools
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from bus.rights import SERVICES
from hypothesis import HealthCheck, settings
from station.broker import environment, prepare

# A busy machine makes an example slow, never wrong.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

DEADLINE = 120.0
"""Seconds after which something that should have happened has not."""
CLAIMS = 100
"""Ports that are kept for this process: more than one test takes."""


NAMES = ("csi", "usb", "door", "film", "attic", "one", "good", "bad")
"""Cameras and relays of the tests."""
INSTANCES = frozenset(
    instance
    for service, rights in SERVICES.items()
    for instance in (
        [f"{service}-{name}" for name in NAMES] if rights.own else [service, f"{service}-2"]
    )
)


_ports = itertools.count(random.SystemRandom().randrange(20_000))
"""Below those that the kernel gives to outgoing connections: one of them could take a port back."""
_claims: collections.deque[int] = collections.deque()


def free_port() -> int:
    """A port of the loopback interface that nobody uses; another one each time.

    Its number is claimed as a name that one process can have: tests that run beside these look
    for ports too, before anybody listens.
    """
    while True:
        port = 12_000 + next(_ports) % 20_000
        claim = socket.socket(socket.AF_UNIX)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            claim.bind(f"\0beeper-keeper-test-{port}")
            _claims.append(claim.detach())
            if len(_claims) > CLAIMS:
                os.close(_claims.popleft())
            return port
        claim.close()


def own_environment() -> dict[str, str]:
    """This process's, without what somebody may have set for a station of his own.

    Its clock is right, whatever the kernel of this machine knows of it.
    """
    own = {k: v for k, v in os.environ.items() if not k.startswith("BEEPER_")}
    return own | {"BEEPER_CLOCK__TRUSTED": "true"}


def wait_until(condition: Callable[[], object], what: str, seconds: float = DEADLINE) -> None:
    """Look again and again until it is so; fails with `what` when it never is."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"never: {what}")
        time.sleep(0.01)


def listens(port: int) -> bool:
    """Whether somebody does on this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def mosquitto(command: list[str], port: int) -> "subprocess.Popen[bytes]":
    """A broker that listens."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: listens(port), "mosquitto listens")
    assert process.poll() is None, "somebody else listens"
    return process


class Broker:
    """A real Mosquitto, as `make run` sets it up, on a port of its own.

    Services log in, each with its rights; whoever does not is a test, and may do everything.
    """

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder
        self._denied = ""
        self._anonymous = "allow_anonymous true"
        self._more = ""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = prepare(self.folder, INSTANCES, self.port, station="")
        rights = self.folder / "mosquitto" / "acl"
        everything = f"{self._denied}topic readwrite #\ntopic read $SYS/#\n\n"
        rights.write_text(everything + rights.read_text(encoding="utf-8"), encoding="utf-8")
        file = Path(command[-1])
        shipped = file.read_text(encoding="utf-8")
        assert "allow_anonymous false\n" in shipped, "nobody is let in without a name"
        text = shipped.replace("allow_anonymous false", self._anonymous)
        file.write_text(text + self._more, encoding="utf-8")
        self._process = mosquitto(command, self.port)

    def login(self, instance: str) -> dict[str, str]:
        """The settings with which a service logs in."""
        assert instance in INSTANCES, f"name {instance} in INSTANCES, so that it has a user"
        return environment(self.folder, instance)

    def forbid(self, topic: str) -> None:
        """Start anew with a rule against publishing a topic, for whoever has no name."""
        self._denied = f"topic deny {topic}\n"
        self.stop()
        self.start()

    def require_password(self, more: str = "") -> None:
        """Start anew with nobody let in anonymously, and more configuration."""
        self._more = more
        self._anonymous = "allow_anonymous false"
        self.stop()
        self.start()

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        assert self._process
        self._process.send_signal(number)

    def stop(self) -> None:
        """End it and everything that it knew."""
        if self._process:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait(DEADLINE)
            self._process = None


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = Broker(tmp_path_factory.mktemp("mosquitto"))
    broker.start()
    yield broker
    broker.stop()


class Service:
    """A service as users start it: `python -m …`, its stderr kept for looking at."""

    def __init__(self, arguments: tuple[str, ...], environment: dict[str, str], log: Path) -> None:
        self._log = log
        with log.open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            )

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def terminate(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.terminate()
        return self.process.wait(DEADLINE)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(DEADLINE)


Start = Callable[..., Service]


@pytest.fixture
def start(broker: Broker, tmp_path: Path) -> Iterator[Start]:
    """`start("camera", "csi", BEEPER_CAMERA__CSI__DRIVER="test")` on the test's broker."""
    with starter(broker, tmp_path) as start:
        yield start


class Serves(Protocol):
    """A broker that services log in at."""

    port: int

    def login(self, instance: str) -> dict[str, str]:
        """The settings with which a service logs in."""


@contextlib.contextmanager
def starter(broker: Serves, folder: Path) -> Iterator[Start]:
    """What starts services on a broker, with their files below a folder."""
    services: list[Service] = []
    (folder / "run").mkdir(exist_ok=True)
    (folder / "state").mkdir(exist_ok=True)

    def start_one(*arguments: str, **variables: str) -> Service:
        login = {} if "BEEPER_MQTT__PORT" in variables else broker.login("-".join(arguments))
        environment = own_environment() | {
            "BEEPER_MQTT__PORT": str(broker.port),
            **login,
            "BEEPER_MQTT__RETRY_MAX": "0.3",
            "BEEPER_MQTT__STATUS_INTERVAL": "1",
            "BEEPER_RUNTIME_DIR": str(folder / "run"),
            "BEEPER_STATE_DIR": str(folder / "state"),
            **variables,
        }
        service = Service(arguments, environment, folder / f"log-{len(services)}")
        services.append(service)
        return service

    try:
        yield start_one
    finally:
        for service in services:
            if service.process.poll() is None:
                service.kill()
