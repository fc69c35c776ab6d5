"""What is to run: every service's settings, read and checked by that service itself."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bus.settings import PREFIX, config_file

SERVICES = (
    "camera",
    "stills",
    "aac",
    "metadata",
    "sensors",
    "chat",
    "history",
    "stepper",
    "webrtc",
    "web",
    "relay",
)
NAMED = ("camera", "relay")
"""Services that run once for each table of their settings."""
PROGRAMS = {
    "mosquitto": "the MQTT broker: apt-get install mosquitto",
    "ffmpeg": "the encoder: apt-get install ffmpeg",
}
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def missing_programs(needed: Iterable[str] = PROGRAMS) -> list[str]:
    """One line for each program that is not there, with the way to install it."""
    return [
        f"{name} is not installed ({PROGRAMS[name]})"
        for name in needed
        if shutil.which(name) is None
    ]


def chosen(variable: str) -> bool:
    """Whether the user has set this, as a variable or in beeper.toml."""
    if variable in os.environ:
        return True
    path = config_file()
    value: Any = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for key in variable.removeprefix(PREFIX).lower().split("__"):
        if not isinstance(value, dict) or key not in value:
            return False
        value = value[key]
    return True


def settings_of(service: str) -> dict[str, Any]:
    """What is in force for a service; raises ValueError with its own words when it is wrong."""
    answer = subprocess.run(
        [sys.executable, "-m", service, "--show-settings"],
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        raise ValueError(answer.stderr.strip())
    shown: dict[str, Any] = json.loads(answer.stdout)
    return shown


def all_settings(services: Iterable[str] = SERVICES) -> dict[str, Any]:
    """What is in force for all these services; raises ValueError as `settings_of` does."""
    settings: dict[str, Any] = {}
    with ThreadPoolExecutor() as pool:
        for shown in pool.map(settings_of, services):
            settings |= shown
    return settings


def taken(host: str, port: int) -> bool:
    """Whether somebody already listens there."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        # No address of any machine: who is to listen there says so.
        return False
    family, kind, protocol, _, address = found[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError:
            return True
    return False


def commands(settings: dict[str, Any]) -> dict[str, list[str]]:
    """Instance → the command that runs it."""
    instances = {
        f"{service}-{name}": [service, name]
        for service in NAMED
        for name, table in settings[service].items()
        if table["enabled"]
    }
    instances |= {name: [name] for name in SERVICES if name not in NAMED}
    return {name: [sys.executable, "-m", *words] for name, words in instances.items()}
