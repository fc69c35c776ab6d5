"""The driver v4l2, with a file of raw YUYV in place of the device."""

import subprocess
from pathlib import Path

import pytest
from camera.drivers.v4l2 import V4l2Driver
from camera.settings import Camera
from camera.v4l2_formats import Pick
from camera_ear import Ear, decode, variables
from conftest import Start


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """One second of 320×240 at 10 fps."""
    path = tmp_path / "webcam.yuyv"
    source = "testsrc2=s=320x240:r=10:d=1"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-pix_fmt", "yuyv422"]
    subprocess.run([*command, "-f", "rawvideo", str(path)], check=True)
    assert path.stat().st_size == 10 * 320 * 240 * 2
    return path


def test_raw_pictures_are_encoded_and_played_round(start: Start, ear: Ear, recording: Path) -> None:
    small = variables("usb", driver="v4l2", device=str(recording), width="320", height="240")
    start("camera", "usb", **small, BEEPER_CAMERA__USB__AUDIO="off")
    frames = ear.more(25)
    init, _, header = ear.inits["video"][0]
    assert (init.width, init.height) == (320, 240)
    assert min(frame.age for frame in frames) >= 0
    ear.fresh(0.2)
    status = ear.said(lambda s: abs((s.key_interval or 0) - 1) < 0.05, "key frames by time")
    assert (status.clock, status.encoding, status.simulated) == ("arrival", "software", True)
    pictures = decode(header, b"".join(f.payload for f in frames[:5]), 320, 240, 5)
    assert len(pictures) == 5
    assert len(set(pictures)) == 5


def test_a_missing_device_is_said_in_words(start: Start, ear: Ear, tmp_path: Path) -> None:
    gone = {"driver": "v4l2", "device": str(tmp_path / "video0"), "audio": "off"}
    start("camera", "usb", **variables("usb", **gone))
    ear.said(lambda s: s.error and s.error.startswith("no device: "), "the reason")


def test_it_is_said_before_anybody_asks_for_pictures(
    start: Start, ear: Ear, tmp_path: Path
) -> None:
    gone = {"driver": "v4l2", "device": str(tmp_path / "video0"), "demand": "on_demand"}
    start("camera", "usb", **variables("usb", **gone))
    ear.said(lambda s: s.error and s.demand == "on_demand", "the reason")


def test_the_device_is_read_as_picked_with_the_kernels_time() -> None:
    driver = V4l2Driver(Camera(width=640, height=480, fps=10))
    command = driver._node(Path("/dev/v4l/by-id/x"), Pick("yuyv422", 640, 480, None))
    assert command[command.index("-input_format") + 1] == "yuyv422"
    assert command[command.index("-framerate") + 1] == "10"
    assert command[0] == "-copyts"
    assert command[-1] == "/dev/v4l/by-id/x"


def test_jpegs_are_decoded_and_encoded_again(start: Start, ear: Ear, tmp_path: Path) -> None:
    path = tmp_path / "webcam.mjpeg"
    source = "testsrc2=s=320x240:r=10:d=1"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-pix_fmt", "yuvj422p"]
    subprocess.run([*command, "-f", "mjpeg", str(path)], check=True)
    small = variables("usb", driver="v4l2", device=str(path), audio="off")
    start("camera", "usb", **small)
    frames = ear.more(15)
    init, _, header = ear.inits["video"][0]
    assert (init.width, init.height) == (320, 240)
    pictures = decode(header, b"".join(f.payload for f in frames[:5]), 320, 240, 5)
    assert len(set(pictures)) == 5
    assert max(pictures[0]) <= 235, "full range becomes the range of video"


@pytest.mark.parametrize(
    ("controls", "corner", "size"),
    [
        ({}, (0, 0), (320, 240)),
        ({"hflip": "true"}, (1, 0), (320, 240)),
        ({"vflip": "true"}, (0, 1), (320, 240)),
        ({"rotation": "180"}, (1, 1), (320, 240)),
        ({"rotation": "90"}, (1, 0), (240, 320)),
        ({"rotation": "270"}, (0, 1), (240, 320)),
        ({"hflip": "true", "rotation": "180"}, (0, 1), (320, 240)),
        ({"roi": "0,0,0.5,0.5"}, (0, 0), (160, 120)),
    ],
)
def test_the_picture_can_be_turned(
    controls: dict[str, str],
    corner: tuple[int, int],
    size: tuple[int, int],
    start: Start,
    ear: Ear,
    tmp_path: Path,
) -> None:
    """A white corner at the top left of a black picture shows where it goes."""
    path = tmp_path / "corner.yuyv"
    white = b"\xeb\x80" * 20
    rows = [white + b"\x10\x80" * 300] * 20 + [b"\x10\x80" * 320] * 220
    path.write_bytes(b"".join(rows) * 10)
    given = {f"controls__{name}": value for name, value in controls.items()}
    small = {"driver": "v4l2", "device": str(path), "width": "320", "height": "240", "audio": "off"}
    start("camera", "usb", **variables("usb", **small, **given))
    frames = ear.more(2)
    init, _, header = ear.inits["video"][0]
    assert (init.width, init.height) == size
    (picture,) = decode(header, frames[0].payload, *size, 1)
    width, height = size
    found = {
        (x, y)
        for x in (0, 1)
        for y in (0, 1)
        if picture[(5 + y * (height - 10)) * width + 5 + x * (width - 10)] > 128
    }
    assert found == {corner}
