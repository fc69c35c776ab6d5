"""A station in containers, from a clean clone, beside whatever else runs on this machine."""

import json
import os
import subprocess
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path
from typing import Any

from conftest import free_port, own_environment, wait_until

HERE = Path(__file__).parents[1]
FILES = ("compose.yaml", "compose.small.yaml", "tests/compose/unpulled.yaml")
SETTINGS = """
[camera.csi]
driver = "test"
[camera.usb]
driver = "test"
audio = "test"
[sensors.bme680]
driver = "simulated"
[stepper]
driver = "simulated"
[history]
flush = 1
"""
PATIENCE = 90.0
"""Seconds for containers to start on a busy machine."""


class Stack:
    """`docker compose` in a clone, with a project name, ports and a network of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "clone"
        self.port, self.mqtt_port = free_port(), free_port()
        command = ["git", "clone", "-q", str(HERE), str(self.folder)]
        subprocess.run(command, check=True, capture_output=True)
        (self.folder / "config" / "beeper.toml").write_text(SETTINGS, encoding="utf-8")
        self._project = f"beeper-test-{os.getpid()}"
        self._variables = own_environment() | {
            "COMPOSE_PROJECT_NAME": self._project,
            "COMPOSE_FILE": ":".join(FILES),
            "COMPOSE_PROFILES": "stepper",
            "PAGE_PORT": str(self.port),
            "MQTT_PORT": str(self.mqtt_port),
            "EDGE": "172.31.197",
        }

    def run(self, *words: str, stdin: bytes = b"") -> str:
        """A program in the clone; its standard output. Fails with its last words."""
        done = subprocess.run(
            words, cwd=self.folder, env=self._variables, input=stdin, capture_output=True
        )
        said = (done.stdout + done.stderr).decode(errors="replace")
        assert done.returncode == 0, f"{' '.join(words)}: {said[-2000:]}"
        return done.stdout.decode()

    def compose(self, *words: str) -> str:
        """`docker compose …`"""
        return self.run("docker", "compose", *words)

    def up(self) -> None:
        """As a user starts it, and wait until everything works."""
        self.compose("up", "-d")
        for service in self.services():
            wait_until(partial(self.works, service), f"{service} works", PATIENCE)
        wait_until(self.ready, "both cameras have pictures", PATIENCE)

    def services(self) -> list[str]:
        """Those that are to run for as long as the station does."""
        return sorted(set(self.compose("config", "--services").split()) - {"setup"})

    def inspect(self, service: str) -> dict[str, Any]:
        """All that Docker knows of a service's container."""
        said = self.run("docker", "inspect", f"{self._project}-{service}-1")
        found: list[dict[str, Any]] = json.loads(said)
        return found[0]

    def works(self, service: str) -> bool:
        """Whether it runs, and the command of its own health check says that it works."""
        about = self.inspect(service)
        if not about["State"]["Running"]:
            return False
        test: list[str] = about["Config"]["Healthcheck"]["Test"][1:]
        command = ["docker", "exec", about["Id"], *test]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def get(self, path: str) -> Any:
        """A JSON answer of the page's server; None while there is none."""
        try:
            url = f"http://127.0.0.1:{self.port}{path}"
            with urllib.request.urlopen(url, timeout=4) as answer:
                return json.load(answer)
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            return None

    def ready(self) -> bool:
        """Whether web and broker work and every camera delivers frames."""
        found = self.get("/readyz")
        return bool(found and len(found["cameras"]) == 2)

    def close(self) -> None:
        """Remove everything but the images."""
        self.compose("--profile", "*", "down", "-v", "-t", "3", "--remove-orphans")
