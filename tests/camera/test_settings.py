"""What users may write about their cameras, and what they are told when it is wrong."""

from pathlib import Path

import pytest
from bus.settings import SettingsError, load
from camera.settings import Settings
from conftest import Start, wait_until


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without a beeper.toml."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_without_configuration_there_are_the_two_cameras_of_a_station() -> None:
    cameras = load(Settings).camera
    assert list(cameras) == ["csi", "usb"]
    csi, usb = cameras["csi"], cameras["usb"]
    assert (csi.width, csi.height, csi.fps, csi.audio) == (800, 600, 15, "off")
    assert (usb.width, usb.height, usb.fps, usb.bitrate_kbps) == (640, 480, 10, 800)
    assert (usb.buffer, usb.audio) == (400, "alsa:dsnoop_usb")


@pytest.mark.usefixtures("folder")
def test_one_variable_changes_one_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEEPER_CAMERA__USB__DRIVER", "test")
    usb = load(Settings).camera["usb"]
    assert (usb.driver, usb.width, usb.bitrate_kbps) == ("test", 640, 800)


def test_file_and_environment_go_together(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "beeper.toml").write_text('[camera.usb]\nfps = 5\n[camera.door]\ndriver = "v4l2"\n')
    monkeypatch.setenv("BEEPER_CAMERA__USB__WIDTH", "320")
    cameras = load(Settings).camera
    assert (cameras["usb"].fps, cameras["usb"].width, cameras["usb"].height) == (5, 320, 480)
    assert (cameras["door"].width, cameras["door"].fps) == (1280, 30)


@pytest.mark.usefixtures("folder")
def test_a_camera_can_be_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEEPER_CAMERA__USB__ENABLED", "false")
    assert list(load(Settings).camera) == ["csi"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("CSI__FPS", "0", "camera.csi.fps"),
        ("CSI__WIDTH", "801", "multiple of 2"),
        ("CSI__DRIVER", "webcam", "picamera2"),
        ("CSI__COLOUR", "1", "unknown key"),
        ("CSI__AUDIO", "mic", "alsa:"),
        ("CSI__AUDIO", "source", "driver url"),
        ("CSI__BACKOFF_MAX", "0.5", "backoff_min"),
    ],
)
def test_a_wrong_value_is_told_in_one_line(
    name: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"BEEPER_CAMERA__{name}", value)
    with pytest.raises(SettingsError) as error:
        load(Settings)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.usefixtures("folder")
def test_the_password_in_a_wrong_url_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEEPER_CAMERA__DOOR__DRIVER", "url")
    monkeypatch.setenv("BEEPER_CAMERA__DOOR__URL", "gopher://me:hunter2@door/")
    with pytest.raises(SettingsError) as error:
        load(Settings)
    assert "rtsp" in str(error.value)
    assert "hunter2" not in str(error.value)


def test_an_unknown_camera_is_told_with_those_that_exist(start: Start) -> None:
    service = start("camera", "attic")
    wait_until(lambda: service.process.poll() is not None, "the service ends")
    assert service.process.returncode == 1
    assert service.log() == "camera: there is no camera 'attic'; configured: csi, usb\n"
