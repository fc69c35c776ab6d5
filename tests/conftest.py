"""Real parts for the tests: a Mosquitto on a free port, services as users start them."""

import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

DEADLINE = 15.0
"""Seconds after which something that should have happened has not."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], object], what: str, seconds: float = DEADLINE) -> None:
    """Look again and again until it is so; fails with `what` when it never is."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"never: {what}")
        time.sleep(0.01)


class Broker:
    """A real Mosquitto, as mosquitto/mosquitto.conf sets it up, on a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        user = pwd.getpwuid(os.getuid()).pw_name
        self._lines = [f"user {user}", f"listener {self.port} 127.0.0.1", "allow_anonymous true"]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        shipped = Path("mosquitto/mosquitto.conf").read_text(encoding="utf-8")
        configuration = shipped + "\n" + "\n".join(self._lines) + "\n"
        (self._folder / "mosquitto.conf").write_text(configuration, encoding="utf-8")
        self._process = subprocess.Popen(
            ["mosquitto", "-c", str(self._folder / "mosquitto.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._answers, "mosquitto listens")

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def forbid(self, topic: str) -> None:
        """Start anew with a rule against publishing a topic."""
        acl = self._folder / "acl"
        acl.write_text(f"topic deny {topic}\ntopic readwrite #\n", encoding="utf-8")
        self._restart_with(f"acl_file {acl}")

    def require_password(self) -> None:
        """Start anew with nobody let in anonymously."""
        self._lines.remove("allow_anonymous true")
        self._restart_with("allow_anonymous false")

    def _restart_with(self, line: str) -> None:
        self.stop()
        self._lines.append(line)
        self.start()

    def signal(self, number: signal.Signals) -> None:
        assert self._process
        self._process.send_signal(number)

    def stop(self) -> None:
        """End it and everything that it knew."""
        if self._process:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait(5)
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
        return self.process.wait(10)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


Start = Callable[..., Service]


@pytest.fixture
def start(broker: Broker, tmp_path: Path) -> Iterator[Start]:
    """`start("camera", "csi", BEEPER_CAMERA__CSI__DRIVER="test")` on the test's broker."""
    services: list[Service] = []
    (tmp_path / "run").mkdir(exist_ok=True)
    (tmp_path / "state").mkdir(exist_ok=True)

    def start_one(*arguments: str, **variables: str) -> Service:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("BEEPER_")}
        environment = kept | {
            "BEEPER_MQTT__PORT": str(broker.port),
            "BEEPER_MQTT__RETRY_MAX": "0.3",
            "BEEPER_MQTT__STATUS_INTERVAL": "1",
            "BEEPER_RUNTIME_DIR": str(tmp_path / "run"),
            "BEEPER_STATE_DIR": str(tmp_path / "state"),
            **variables,
        }
        service = Service(arguments, environment, tmp_path / f"log-{len(services)}")
        services.append(service)
        return service

    yield start_one
    for service in services:
        if service.process.poll() is None:
            service.kill()
