"""The driver rpicam, with a stand-in that refuses unknown options and films in real time."""

import itertools
import json
import re
from pathlib import Path

import pytest
from camera.drivers import rpicam
from camera.settings import Camera
from camera_ear import Ear, standins, variables
from camera_film import Film, film
from conftest import Start, wait_until
from media.h264 import is_key, nal_type

SMALL = {"driver": "rpicam", "width": "320", "height": "240", "fps": "10"}


@pytest.mark.parametrize("version", ["1.13.0", "1.8.0", "1.7.0", "1.5.0"])
def test_the_software_encoder_films_and_says_what_is_missing(
    start: Start, ear: Ear, version: str
) -> None:
    environment = standins() | {"STANDIN_VERSION": version}
    start("camera", "csi", **environment, **variables("csi", **SMALL))
    frames = ear.more(25)
    assert frames[0].header.key
    ticks = [frame.header.tfdt for frame in frames]
    assert all(one < two for one, two in itertools.pairwise(ticks))
    assert [frame.header.seq for frame in frames] == list(range(1, 26)), "none is lost"
    status = ear.said(lambda s: s.clock == "arrival" and s.key_interval, "arrival time")
    assert (status.driver, status.encoding, status.restarts) == ("rpicam", "software", 0)
    assert status.warning is not None
    assert status.warning.startswith("no sensor time and no metadata")


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
    ear.said(lambda s: s.error and "no cameras available" in s.error, "the reason")


@pytest.mark.parametrize(
    ("device", "says"),
    [("1", "there is no camera 1: it sees 1, from 0 on"), ("/dev/video0", "a CSI camera is a num")],
)
async def test_a_camera_that_is_not_there_is_said_in_words(
    device: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", standins()["PATH"])
    assert says in str(await rpicam.missing(Camera(device=device)))


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


@pytest.fixture
def on_hardware(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A board with the encoder; the folder is for the driver."""
    monkeypatch.setenv("PATH", standins()["PATH"])
    monkeypatch.setenv("STANDIN_ENCODER", "hardware")
    monkeypatch.setattr(rpicam, "has_encoder", lambda: True)
    return tmp_path


def sensor_times(folder: Path) -> list[float]:
    """What the metadata says of each frame, in the order in which they were taken."""
    text = (folder / "csi.metadata.json").read_text()
    return [int(found) / 1e9 for found in re.findall(r'"SensorTimestamp": (\d+)', text)]


def check(taken: Film, folder: Path, numbers: list[int]) -> None:
    """Each picture has the sensor's time of the frame that it is."""
    times = sensor_times(folder)
    for unit, number in list(zip(taken.units, numbers, strict=True))[1:]:
        if number < len(times):
            assert unit.capture == pytest.approx(times[number], abs=1e-3), number


async def test_with_hardware_pictures_have_the_sensors_time(on_hardware: Path) -> None:
    camera = Camera(driver="rpicam", width=320, height=240, fps=20)
    driver = rpicam.RpicamDriver(camera, on_hardware, "csi")
    taken = await film(driver, 25)
    assert (driver.clock, driver.warning) == ("sensor", None)
    check(taken, on_hardware, list(range(25)))
    assert [unit.key for unit in taken.units] == [number % 20 == 0 for number in range(25)]
    assert [path.name for path in on_hardware.iterdir()] == ["csi.metadata.json"]
    text = (on_hardware / "csi.metadata.json").read_text()
    assert json.loads(text.rsplit(",\n{", 1)[0] + "]")[0]["ScalerCrop"] == "(0, 0)/4608x2592"


async def test_what_the_hardware_encoder_loses_costs_neither_clock_nor_child(
    on_hardware: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = {"STANDIN_LOST": "4,5", "STANDIN_EMPTY": "8", "STANDIN_BARE": "11,12"}
    for name, numbers in lost.items():
        monkeypatch.setenv(name, numbers)
    camera = Camera(driver="rpicam", width=320, height=240, fps=20)
    driver = rpicam.RpicamDriver(camera, on_hardware, "csi")
    seen = [number for number in range(30) if number not in (4, 5, 8, 11, 12)]
    taken = await film(driver, len(seen))
    check(taken, on_hardware, seen)
    assert driver.clock == "sensor"
    kinds = [[nal_type(nal) for nal in unit.nals] for unit in taken.units]
    assert all({1, 5} & set(found) for found in kinds), "pictures only"
    behind = seen.index(13)
    assert {7, 8} <= set(kinds[behind]), "parameter sets that came alone are not lost"
    assert not is_key(taken.units[behind].nals)


async def test_a_clock_that_is_set_costs_one_sensor_time(
    on_hardware: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STANDIN_CLOCK_SET", "10")
    driver = rpicam.RpicamDriver(Camera(width=320, height=240, fps=20), on_hardware, "csi")
    taken = await film(driver, 25)
    times = sensor_times(on_hardware)
    right = [
        abs(unit.capture - time) < 1e-3 for unit, time in zip(taken.units, times, strict=False)
    ]
    assert sum(right) >= len(right) - 3
    for unit, arrival in zip(taken.units, taken.arrivals, strict=True):
        assert unit.capture <= arrival


async def test_the_mode_with_the_whole_field_of_view_is_asked_for(
    on_hardware: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = on_hardware / "options"
    monkeypatch.setenv("STANDIN_OPTIONS", str(options))
    driver = rpicam.RpicamDriver(Camera(width=320, height=240, fps=20), on_hardware, "csi")
    await film(driver, 1)
    assert "--mode 2304:1296:10:P" in options.read_text()
    fast = rpicam.RpicamDriver(Camera(width=320, height=240, fps=100), on_hardware, "csi")
    await film(fast, 1)
    assert "--mode 1536:864:10:P" in options.read_text()
    assert fast.warning == "100 pictures a second cost field of view: 67% of its width are left"


def test_low_latency_is_never_asked_for_together_with_metadata(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", standins()["PATH"])
    command = rpicam.RpicamDriver(Camera(), tmp_path, "csi").command()
    assert not {"--metadata", "--save-pts", "--low-latency"} & set(command)
    assert command[command.index("--output") + 1] == "-"


def test_a_width_that_the_hardware_garbles_is_said(on_hardware: Path) -> None:
    driver = rpicam.RpicamDriver(Camera(width=1296, height=972), on_hardware, "csi")
    assert driver.warning is not None and "no multiple of 32" in driver.warning


def test_the_old_name_is_found_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "libcamera-vid").symlink_to(Path(standins()["PYTHONPATH"]) / "rpicam-vid")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    driver = rpicam.RpicamDriver(Camera(), tmp_path, "csi")
    assert driver.command()[0] == "libcamera-vid"
