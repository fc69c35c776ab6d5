"""A camera's pictures at the hub: only while somebody watches, and only what the link takes."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from bridged import Client, Place
from bus.messages import RelayStatus
from bus.rights import OBSERVER
from conftest import Service, starter, wait_until
from web_station import Web, frames

STATUS = "beeper/relay/hub/status"


@pytest.fixture
def camera(place: Place, tmp_path: Path) -> Iterator[Service]:
    """The barn's camera, which draws, with a relay to the hub."""
    folder = tmp_path / "at-home"
    folder.mkdir()
    with starter(place.barn, folder) as start:
        camera = start(
            "camera", "csi", BEEPER_CAMERA__CSI__DRIVER="test", BEEPER_CAMERA__CSI__FPS="15"
        )
        relay = {"BEEPER_RELAY__HUB__URL": "hub", "BEEPER_RELAY__HUB__CAMERA": "csi"}
        relay["BEEPER_RELAY__HUB__CAMERA_TIMEOUT"] = "1"
        start("relay", "hub", **place.barn.settings, **relay)
        yield camera


@pytest.fixture
def web(place: Place, tmp_path: Path) -> Iterator[Web]:
    """`web` on the hub."""
    with starter(place.hub, tmp_path) as start:
        yield Web(start, hub="true", lease="1", linger="0", warm="0")


def has_camera(web: Web) -> bool:
    answer = web.get("/stations/barn/api/cameras")
    cameras = answer.json()["cameras"] if answer.status == 200 else []
    return any("video" in camera["tracks"] for camera in cameras)


def test_pictures_cross_only_while_somebody_watches(
    place: Place, camera: Service, web: Web
) -> None:
    with (
        Client(place.barn, OBSERVER, STATUS) as said,
        Client(place.hub, "web", "stations/barn/media/#") as arrived,
    ):

        def state() -> str:
            found = [RelayStatus.model_validate_json(payload) for _, payload in said.heard]
            return found[-1].state if found else "none"

        wait_until(lambda: has_camera(web), "the hub knows the camera")
        wait_until(lambda: state() == "stopped", "the relay waits")
        assert not [name for name, _ in arrived.heard if "/fragment/" in name]
        with web.socket("stations/barn/live/csi") as socket:
            frames(socket, 16)
            assert state() == "streaming"
            place.barn.cable.cut()
            wait_until(lambda: state() == "backoff", "the relay says that the hub is away")
            place.barn.cable.mend()
            wait_until(lambda: state() == "streaming", "it goes on by itself")
            frames(socket, 1)
            camera.process.send_signal(signal.SIGSTOP)
            wait_until(lambda: state() == "starting", "the relay says that no picture comes")
            assert "csi gives no picture" in str(said.heard[-1])
            camera.process.send_signal(signal.SIGCONT)
            wait_until(lambda: state() == "streaming", "pictures come again")
        wait_until(lambda: state() == "stopped", "nobody watches any more")
