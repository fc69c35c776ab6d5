"""`python -m station.hub`, a station that is bridged to it, and its page there in Chromium."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import DEADLINE, free_port, own_environment, wait_until
from onlooker import Look, Onlooker
from playwright.sync_api import Browser, Page, expect
from station.broker import password_file
from whole import Station


class Hub:
    """Runs as docs/hub.md says, for stations of this machine."""

    def __init__(self, folder: Path) -> None:
        self.mqtt_port = free_port()
        self.port, self.second = free_port(), free_port()
        while self.second != self.port + 1:
            self.port, self.second = self.second, free_port()
        self.folder = folder / "hub"
        ports = {"BEEPER_WEB__PORT": str(self.port), "BEEPER_MQTT__PORT": str(self.mqtt_port)}
        command = [sys.executable, "-m", "station.hub", "barn", "coop", "--web", "2"]
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--folder", str(self.folder)],
                env=own_environment() | ports,
                stdout=log,
                stderr=log,
            )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def joined(self, station: str) -> dict[str, str]:
        """What a station of this machine is told of it."""
        there: dict[str, Any] = {
            "HOST": "127.0.0.1",
            "PORT": self.mqtt_port,
            "TLS": False,
            "STATION": station,
            "PASSWORD_FILE": password_file(self.folder, station),
        }
        relay = {"BEEPER_RELAY__HUB__URL": "hub", "BEEPER_RELAY__HUB__CAMERA": "csi"}
        return relay | {f"BEEPER_HUB__{key}": str(value) for key, value in there.items()}

    def close(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(DEADLINE)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(tmp_path)
    wait_until(lambda: password_file(hub.folder, "barn").exists(), "the hub has its passwords")
    yield hub
    hub.close()


@pytest.fixture
def barn(hub: Hub, tmp_path: Path) -> Iterator[Station]:
    folder = tmp_path / "barn"
    folder.mkdir()
    station = Station(folder, **hub.joined("barn"))
    station.wait_ready()
    yield station
    if station.process.poll() is None:
        station.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        yield context.new_page()


def shown(look: Look) -> bool:
    """Readings, services and a live picture of the camera that has a relay."""
    csi = look.cameras.get("csi")
    seen = csi is not None and csi.age is not None and csi.age < 2
    return seen and bool(look.readings) and "sensors" in look.services


def test_a_station_is_listed_and_watched_at_the_hub(hub: Hub, barn: Station, page: Page) -> None:
    page.goto(hub.url)
    stations = page.locator("#stations")
    expect(stations).to_contain_text(re.compile("barn.*online", re.S), timeout=DEADLINE * 1000)
    expect(stations, "nothing is said of who was never heard").not_to_contain_text("coop")
    onlooker = Onlooker(page, f"{hub.url}stations/barn/")
    look = onlooker.wait(shown, "its picture and readings are seen at the hub")
    assert "simulated" in look.cameras["csi"].text
    assert not onlooker.violations()
    page.goto(f"http://127.0.0.1:{hub.second}/")
    expect(stations, "the other web process says the same").to_contain_text(
        re.compile("barn.*online", re.S)
    )
