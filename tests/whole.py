"""A whole station on ports of its own, as `make run` starts it, for tests and benchmarks."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil
from conftest import DEADLINE, free_port, own_environment, wait_until
from station import broker

SIMULATED = {
    "BEEPER_CAMERA__CSI__DRIVER": "test",
    "BEEPER_CAMERA__USB__DRIVER": "test",
    "BEEPER_CAMERA__USB__AUDIO": "test",
    "BEEPER_SENSORS__BME680__DRIVER": "simulated",
    "BEEPER_SENSORS__AUDIO__DRIVER": "simulated",
    "BEEPER_STEPPER__DRIVER": "simulated",
    "BEEPER_STEPPER__ENABLED": "true",
    "BEEPER_ACCESS__RATE": "10000",
    "BEEPER_ACCESS__BURST": "100000",
}


class Station:
    """Everything simulated that can be; `variables` are settings that win over that.

    `prefix` begins the command, such as one that enters a network namespace.
    """

    def __init__(self, folder: Path, *prefix: str, **variables: str) -> None:
        self.port, self.mqtt_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        ports = {
            "BEEPER_WEB__HOST": "127.0.0.1",
            "BEEPER_WEB__PORT": str(self.port),
            "BEEPER_MQTT__PORT": str(self.mqtt_port),
        }
        self.log = folder / "log"
        self._folder = folder / "run"
        self._command = [*prefix, sys.executable, "-m", "station", "--folder", str(self._folder)]
        self._environment = own_environment() | ports | SIMULATED | variables
        self.start()

    def start(self) -> None:
        """Start it; again, once it has ended."""
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def get(self, path: str) -> dict[str, Any] | None:
        """A JSON answer of the page's server; None while there is none."""
        try:
            with urllib.request.urlopen(self.url + path.lstrip("/"), timeout=2) as answer:  # noqa: S310 (our own http URL)
                return dict(json.load(answer))
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            return None

    def text(self, path: str) -> str:
        """An answer of the page's server as it is."""
        with urllib.request.urlopen(self.url + path, timeout=5) as answer:  # noqa: S310 (our own http URL)
            return str(answer.read().decode())

    def ready(self) -> bool:
        """Whether web and broker work and every camera delivers frames."""
        return self.get("/readyz") is not None

    def wait_ready(self) -> None:
        """Wait until pictures can be watched."""
        try:
            wait_until(self.ready, "the station is ready", DEADLINE)
        except BaseException:
            self.close()
            raise

    def password(self, user: str) -> str:
        """What a user of the broker logs in with."""
        return broker.password(self._folder, user)

    def let_in(self, user: str) -> None:
        """Give somebody a user of the broker who may say and hear everything."""
        place = self._folder / "mosquitto"
        command = ["mosquitto_passwd", "-b", str(place / "passwords"), user, self.password(user)]
        subprocess.run(command, check=True, capture_output=True)
        with (place / "acl").open("a", encoding="utf-8") as rights:
            rights.write(f"\nuser {user}\ntopic readwrite #\n")
        self.kill("mosquitto", number=signal.SIGHUP)

    def family(self) -> list[psutil.Process]:
        """Every process of the station but its first."""
        children: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        return children

    def pid(self, *words: str) -> int | None:
        """The process whose command line has all these words."""
        for child in self.family():
            try:
                if all(word in child.cmdline() for word in words):
                    return int(child.pid)
            except psutil.NoSuchProcess:
                continue
        return None

    def kill(self, *words: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal to the process whose command line has all these words."""
        pid = self.pid(*words)
        assert pid, f"no process {words}"
        os.kill(pid, number)
        return pid

    def close(self) -> list[psutil.Process]:
        """Ctrl-C; whoever is left after it."""
        family = self.family()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(DEADLINE)
        return alive(family)


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run."""
    return [process for process in processes if is_alive(process)]


def is_alive(process: psutil.Process) -> bool:
    """Whether it still runs; a zombie does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
