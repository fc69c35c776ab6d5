"""The driver picamera2, with a stand-in module that keeps frames back as the real one does."""

import asyncio
import itertools
import json
import shutil
import sys
from pathlib import Path

import pytest
from camera.child import Child
from camera.drivers.picamera2 import Picamera2Driver
from camera.settings import Camera
from camera_ear import STANDINS, Ear, standins, variables
from camera_film import film
from conftest import Start, wait_until
from media.clock import to_wall
from media.h264 import nal_type

SMALL = {"driver": "picamera2", "width": "320", "height": "240", "fps": "10"}


def test_pictures_come_with_sensor_time(start: Start, ear: Ear) -> None:
    start("camera", "csi", **standins(), **variables("csi", **SMALL))
    frames = ear.more(25)
    ages = [to_wall(frame.at) - frame.header.capture for frame in frames]
    assert min(ages) > 0.029
    ticks = [frame.header.tfdt for frame in frames]
    steps = [two - one for one, two in itertools.pairwise(ticks)]
    assert all(abs(step - 9000) < 30 for step in steps)
    status = ear.said(lambda s: s.key_interval, "streaming")
    assert (status.driver, status.clock, status.simulated) == ("picamera2", "sensor", False)
    assert status.key_interval == 1.0


def test_a_picture_leaves_before_the_next_is_encoded(
    start: Start, ear: Ear, tmp_path: Path
) -> None:
    log = tmp_path / "encoded"
    slow = SMALL | {"fps": "2"}
    start("camera", "csi", **standins(), STANDIN_LOG=str(log), **variables("csi", **slow))
    ear.more(1)

    def prompt() -> bool:
        encoded = [float(line) for line in log.read_text().split()]
        pairs = zip(list(ear.video), encoded[1:], strict=False)
        return any(frame.at < following for frame, following in pairs)

    wait_until(prompt, "a picture comes before the next is encoded")


def test_metadata_has_rpicams_form(start: Start, ear: Ear, tmp_path: Path) -> None:
    service = start("camera", "csi", **standins(), **variables("csi", **SMALL))
    ear.more(5)
    service.terminate()
    text = (tmp_path / "run" / "csi.metadata.json").read_text()
    record = json.loads(text.split("},")[0].lstrip("[\n") + "}")
    assert record["ScalerCrop"] == "(16, 0)/2560x1920"
    assert record["SensorBlackLevels"] == [4096, 4096, 4096, 4096]
    assert record["AeLocked"] is True
    assert "Bcm2835StatsOutput" not in record


def test_a_thread_that_fails_is_started_anew(start: Start, ear: Ear) -> None:
    """picamera2 itself goes on with that thread missing, and films no more."""
    environment = standins() | {"STANDIN_DIES": "12"}
    patient = SMALL | {"stall_timeout": "60", "start_timeout": "60"}
    start("camera", "csi", **environment, **variables("csi", **patient))
    ear.said(lambda s: s.error and "Failed to queue request" in s.error, "the reason")
    ear.said(lambda s: s.restarts == 1 and s.state == "streaming", "the restart")


@pytest.mark.parametrize("fault", ["STANDIN_EMPTY", "STANDIN_BARE"])
async def test_frames_without_a_picture_cost_nothing(
    fault: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in {**standins(), fault: "4,5"}.items():
        monkeypatch.setenv(name, value)
    camera = Camera(driver="picamera2", width=320, height=240, fps=20)
    taken = await film(Picamera2Driver(camera, tmp_path, "csi"), 10)
    assert all({1, 5} & set(map(nal_type, unit.nals)) for unit in taken.units), "pictures only"
    times = [unit.capture for unit in taken.units]
    steps = [two - one for one, two in itertools.pairwise(times)]
    assert steps == pytest.approx([0.05, 0.05, 0.05, 0.15, 0.05, 0.05, 0.05, 0.05, 0.05], abs=1e-3)


async def test_it_has_the_time_that_it_needs_to_let_its_camera_go(tmp_path: Path) -> None:
    """On SIGTERM picamera2 was seen to take 0.5 to 1.1 s."""
    script = (
        "import pathlib, signal, sys, time\n"
        "def end(*_):\n time.sleep(1.1)\n pathlib.Path(sys.argv[1]).touch()\n sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\nprint('up', flush=True)\ntime.sleep(60)\n"
    )
    up = asyncio.Event()
    command = [sys.executable, "-c", script, str(tmp_path / "closed")]
    child = await Child.start(command, lambda _: up.set())
    await up.wait()
    await child.end()
    assert (tmp_path / "closed").exists()


def test_a_stalled_camera_is_started_again(start: Start, ear: Ear) -> None:
    environment = standins() | {"STANDIN_FRAMES": "15"}
    start("camera", "csi", **environment, **variables("csi", **SMALL, stall_timeout="1"))
    ear.said(lambda s: s.restarts and s.error == "no frame for 1 s", "the stall")
    ear.sessions(2)
    ear.said(lambda s: s.restarts and s.state == "streaming" and not s.error, "the restart")


def test_a_missing_module_is_said_in_words(start: Start, ear: Ear) -> None:
    start("camera", "csi", **variables("csi", **SMALL))
    ear.said(lambda s: s.error and "apt install python3-picamera2" in s.error, "the reason")


@pytest.mark.parametrize("attached", ["usb csi", "csi usb"])
async def test_a_webcam_beside_it_is_not_taken_for_it(
    attached: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in {**standins(), "STANDIN_CAMERAS": attached}.items():
        monkeypatch.setenv(name, value)
    camera = Camera(driver="picamera2", width=320, height=240, fps=20)
    taken = await film(Picamera2Driver(camera, tmp_path, "csi"), 2)
    assert taken.units[0].key


@pytest.mark.parametrize("attached", ["", "usb"])
def test_no_camera_is_said_in_words(start: Start, ear: Ear, attached: str) -> None:
    environment = standins() | {"STANDIN_CAMERAS": attached}
    start("camera", "csi", **environment, **variables("csi", **SMALL))
    ear.said(lambda s: s.error and "no camera" in s.error, "the reason")


def test_auto_takes_it_first(start: Start, ear: Ear) -> None:
    start("camera", "csi", **standins(), **variables("csi", **SMALL | {"driver": "auto"}))
    ear.said(lambda s: s.state == "streaming" and s.driver == "picamera2", "picamera2")


def test_auto_takes_rpicam_where_the_module_is_missing(start: Start, ear: Ear) -> None:
    environment = {"PATH": standins()["PATH"]}
    start("camera", "csi", **environment, **variables("csi", **SMALL | {"driver": "auto"}))
    ear.said(lambda s: s.state == "streaming" and s.driver == "rpicam", "rpicam")


def test_auto_goes_on_when_picamera2_does_not_start(start: Start, ear: Ear, tmp_path: Path) -> None:
    """It sees the camera, and fails as soon as it films."""
    broken = tmp_path / "encoders"
    shutil.copytree(STANDINS, broken)
    (broken / "picamera2" / "encoders.py").write_text("raise RuntimeError('no encoder')\n")
    environment = {"PATH": standins()["PATH"], "PYTHONPATH": str(broken)}
    start("camera", "csi", **environment, **variables("csi", **SMALL | {"driver": "auto"}))
    status = ear.said(lambda s: s.state == "streaming" and s.driver == "rpicam", "rpicam")
    assert status.warning is not None
    assert "picamera2 cannot film: RuntimeError: no encoder" in status.warning
    ear.more(5)


def test_auto_stays_with_what_has_filmed(start: Start, ear: Ear) -> None:
    environment = standins() | {"STANDIN_DIES": "12"}
    start("camera", "csi", **environment, **variables("csi", **SMALL | {"driver": "auto"}))
    ear.said(lambda s: s.restarts == 2 and s.state == "streaming", "two restarts")
    assert {status.driver for status in ear.statuses if status.state == "streaming"} == {
        "picamera2"
    }


def test_auto_begins_anew_when_none_can_film(start: Start, ear: Ear) -> None:
    environment = standins() | {"STANDIN_FRAMES": "0"}
    quick = SMALL | {"driver": "auto", "start_timeout": "3"}
    start("camera", "csi", **environment, **variables("csi", **quick))
    ear.said(lambda s: s.driver == "picamera2" and s.error, "picamera2 gives nothing")
    ear.said(lambda s: s.driver == "rpicam" and s.error, "nor does rpicam")
    status = ear.said(lambda s: s.error and "no driver can film" in s.error, "both reasons")
    assert status.error is not None and status.error.count("no first frame within 3 s") == 2
    seen = len(ear.statuses)
    wait_until(
        lambda: any(s.driver == "picamera2" and s.error for s in ear.statuses[seen:]), "anew"
    )


def test_the_usb_camera_leaves_the_csi_camera_alone(start: Start, ear: Ear) -> None:
    small = {key: value for key, value in SMALL.items() if key != "driver"}
    start("camera", "usb", **standins(), **variables("usb", **small))
    status = ear.said(lambda s: s.error, "the reason")
    assert (status.state, status.driver) == ("backoff", "v4l2")


def test_auto_goes_on_when_picamera2_takes_longer_than_the_first_frame_may(
    start: Start, ear: Ear, tmp_path: Path
) -> None:
    """The probe has a patience of its own; the first frame's begins when a driver is found."""
    slow = "import time\ntime.sleep(15)\nraise ImportError('it hangs')\n"
    (tmp_path / "picamera2.py").write_text(slow)
    environment = {"PATH": standins()["PATH"], "PYTHONPATH": str(tmp_path)}
    given = variables("csi", **SMALL | {"driver": "auto", "start_timeout": "12"})
    start("camera", "csi", **environment, **given)
    ear.said(lambda s: s.state == "streaming" and s.driver == "rpicam", "rpicam")
    assert {status.restarts for status in ear.statuses} == {0}


def test_auto_says_what_it_looked_for_and_never_simulates(start: Start, ear: Ear) -> None:
    start("camera", "csi", **variables("csi", driver="auto"))
    status = ear.said(lambda s: s.error, "the reason")
    assert status.error is not None
    for part in ("picamera2: ", "rpicam: ", 'driver = "v4l2"'):
        assert part in status.error
    assert (status.state, status.driver, status.simulated) == ("backoff", "auto", False)
