"""compose.hub.yaml and compose.bridge.yaml: what they change, and what setup makes of it."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from bus.settings import SettingsError
from station.setup import Places, contents, instances

HUB = {
    "BEEPER_HUB__HOST": "hub.example.org",
    "BEEPER_HUB__STATION": "barn",
    "BEEPER_HUB__PASSWORD": "a password",
    "BEEPER_HUB__CA_FILE": "/config/hub-ca.crt",
}


def services(file: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(Path(file).read_text(encoding="utf-8"))["services"]
    return found


def secrets(tmp_path: Path, stations: str = "", relays: str = "csi usb") -> dict[str, Any]:
    """What setup hands out."""
    names = instances({"RELAYS": relays})
    return contents(Places(own=tmp_path), names, stations.split())


def test_both_change_services_that_exist() -> None:
    there = services("compose.yaml").keys()
    assert services("compose.hub.yaml").keys() <= there
    assert services("compose.bridge.yaml").keys() - {"relay-hub-csi"} <= there


def test_a_hub_has_a_user_for_each_station_and_a_listener(tmp_path: Path) -> None:
    broker = secrets(tmp_path, "barn coop")["mosquitto"]
    assert {"barn", "coop"} < {line.split(":")[0] for line in broker["passwords"].splitlines()}
    assert "user barn\ntopic write stations/barn/bridge\n" in broker["acl"]
    assert "listener 8883\n" in broker["mosquitto.conf"]
    assert "connection " not in broker["mosquitto.conf"]


def test_a_station_without_a_hub_has_neither(tmp_path: Path) -> None:
    broker = secrets(tmp_path)["mosquitto"]
    assert "stations/" not in broker["acl"]
    assert "listener 8883\n" not in broker["mosquitto.conf"]


def test_a_station_with_a_hub_has_a_bridge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in HUB.items():
        monkeypatch.setenv(name, value)
    given = secrets(tmp_path, relays="csi usb hub-csi")
    lines = given["mosquitto"]["mosquitto.conf"].splitlines()
    assert {"connection barn-bridge", "remote_password a password"} < set(lines)
    assert given["relay-hub-csi"]["hub_password"] == HUB["BEEPER_HUB__PASSWORD"]
    assert "hub_password" not in given["relay-csi"]


def test_a_bridge_without_a_password_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in HUB.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("BEEPER_HUB__PASSWORD", "")
    with pytest.raises(SettingsError, match=r"hub\.password_file"):
        secrets(tmp_path)
