"""The driver rpicam, with a stand-in that refuses unknown options and films in real time."""

import itertools
import json
from pathlib import Path

import pytest
from camera.drivers import rpicam
from camera.settings import Camera
from camera_ear import Ear, standins, variables
from conftest import Start, wait_until
from media.clock import to_wall

SMALL = {"driver": "rpicam", "width": "320", "height": "240", "fps": "10"}


def test_pictures_come_with_sensor_time(start: Start, ear: Ear) -> None:
    start("camera", "csi", **standins(), **variables("csi", **SMALL))
    frames = ear.more(25)
    assert frames[0].header.key
    ages = [to_wall(frame.at) - frame.header.capture for frame in frames]
    # The stand-in exposes 30 ms before it writes.
    assert min(ages) > 0.029
    ticks = [frame.header.tfdt for frame in frames]
    steps = [two - one for one, two in itertools.pairwise(ticks)]
    assert all(abs(step - 9000) < 30 for step in steps)
    status = ear.said(lambda s: s.clock == "sensor" and s.key_interval, "sensor time")
    assert (status.driver, status.simulated) == ("rpicam", False)


def test_a_picture_leaves_before_the_next_is_written(
    start: Start, ear: Ear, tmp_path: Path
) -> None:
    log = tmp_path / "written"
    slow = SMALL | {"fps": "2"}
    start("camera", "csi", **standins(), STANDIN_LOG=str(log), **variables("csi", **slow))
    ear.more(1)

    def prompt() -> bool:
        written = [float(line) for line in log.read_text().split()]
        pairs = zip(list(ear.video), written[1:], strict=False)
        return any(frame.at < following for frame, following in pairs)

    wait_until(prompt, "a picture comes before the next is written")


def test_a_stalled_camera_is_started_again(start: Start, ear: Ear) -> None:
    environment = standins() | {"STANDIN_FRAMES": "15"}
    start("camera", "csi", **environment, **variables("csi", **SMALL, stall_timeout="1"))
    ear.said(lambda s: s.state == "backoff" and s.error == "no frame for 1 s", "the stall")
    ear.sessions(2)
    ear.said(lambda s: s.restarts and s.state == "streaming" and not s.error, "the restart")
    times = [frame.header.tfdt for frame in ear.video]
    assert all(one < other for one, other in itertools.pairwise(times))


def test_no_camera_is_said_in_words(start: Start, ear: Ear) -> None:
    environment = standins() | {"STANDIN_CAMERAS": "0"}
    start("camera", "csi", **environment, **variables("csi", **SMALL))
    ear.said(lambda s: s.error == "no cameras available", "the reason")


def test_nothing_is_left_of_the_pipes(start: Start, ear: Ear, tmp_path: Path) -> None:
    service = start("camera", "csi", **standins(), **variables("csi", **SMALL))
    ear.more(3)
    service.terminate()
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["csi.metadata.json"]
    text = (tmp_path / "run" / "csi.metadata.json").read_text()
    assert json.loads(text.rsplit(",\n{", 1)[0] + "]")[0]["ScalerCrop"] == "(0, 0)/2592x1944"


def test_without_the_program_it_says_what_to_install(start: Start, ear: Ear) -> None:
    service = start("camera", "csi", **variables("csi", **SMALL))
    ear.said(lambda s: s.error == "rpicam-vid is not installed (apt install rpicam-apps)", "why")
    assert service.process.poll() is None


def test_the_hardware_encoder_is_known_by_its_node(tmp_path: Path) -> None:
    assert not rpicam.has_encoder(tmp_path)
    node = tmp_path / "class" / "video4linux" / "video11"
    node.mkdir(parents=True)
    (node / "name").write_text("bcm2835-codec-encode\n")
    assert rpicam.has_encoder(tmp_path)


@pytest.mark.parametrize("encoding", ["hardware", "software"])
def test_low_latency_is_for_boards_without_an_encoder(
    encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", standins()["PATH"])
    monkeypatch.setattr(rpicam, "has_encoder", lambda: encoding == "hardware")
    driver = rpicam.RpicamDriver(Camera(width=1296, height=972), tmp_path, "csi")
    command = driver.command(tmp_path)
    assert ("--low-latency" in command) is (encoding == "software")
    assert command[command.index("--output") + 1].endswith("h264")
    assert (driver.warning is not None) is (encoding == "hardware")


def test_the_old_name_is_found_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "libcamera-vid").symlink_to(Path(standins()["PYTHONPATH"]) / "rpicam-vid")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    driver = rpicam.RpicamDriver(Camera(), tmp_path, "csi")
    assert driver.command(tmp_path)[0] == "libcamera-vid"
