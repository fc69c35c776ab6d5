"""What a USB camera offers, and which of it is taken."""

import pytest
from camera.v4l2_formats import Offer, Pick, offers, pick
from camera_webcam import Sizes, Webcam

SLOW_RAW: dict[str, Sizes] = {
    "YUYV": {(640, 480): [30, 15, 5], (1280, 720): [10, 5], (1920, 1080): [5]},
    "MJPG": {(640, 480): [30, 15], (1280, 720): [30, 15], (1920, 1080): [29.97]},
}
JPEG_ONLY: dict[str, Sizes] = {"MJPG": {(640, 480): [30], (800, 600): [25]}}
H264_TOO: dict[str, Sizes] = {
    "YUYV": {(1920, 1080): [5]},
    "H264": {(1920, 1080): [30]},
    "MJPG": {(1920, 1080): [15]},
}


def chosen(formats: dict[str, Sizes], width: int, height: int, fps: float) -> Pick:
    found = offers(-1, width, height, Webcam(formats).ioctl)
    return pick(found, width, height, fps)


def test_everything_that_is_offered_is_found() -> None:
    found = offers(-1, 640, 480, Webcam(SLOW_RAW).ioctl)
    assert Offer("YUYV", 1280, 720, 10) in found
    assert Offer("MJPG", 1920, 1080, 29.97) in found
    assert len(found) == 6


@pytest.mark.parametrize(
    ("fps", "kind"), [(10, "yuyv422"), (30, "yuyv422"), (29.9, "yuyv422"), (60, "yuyv422")]
)
def test_raw_pictures_come_first(fps: float, kind: str) -> None:
    assert chosen(SLOW_RAW, 640, 480, fps).format == kind


def test_jpegs_are_taken_where_raw_is_too_slow_and_the_cost_is_said() -> None:
    assert chosen(SLOW_RAW, 1280, 720, 10) == ("yuyv422", 1280, 720, None)
    assert chosen(SLOW_RAW, 1280, 720, 15) == (
        "mjpeg",
        1280,
        720,
        "MJPEG is decoded and encoded again, which costs CPU time "
        "(raw it gives 10 pictures a second of this size)",
    )
    assert chosen(SLOW_RAW, 1920, 1080, 30).format == "mjpeg"


def test_a_camera_without_raw_pictures_films_too() -> None:
    found = chosen(JPEG_ONLY, 640, 480, 10)
    assert found.format == "mjpeg"
    assert found.warning is not None and "it has no raw one of this size" in found.warning


def test_h264_is_decoded_where_nothing_else_is_fast_enough() -> None:
    assert chosen(H264_TOO, 1920, 1080, 15).format == "mjpeg"
    found = chosen(H264_TOO, 1920, 1080, 30)
    assert found.format == "h264"
    assert found.warning is not None and found.warning.startswith("H264 is decoded")


def test_the_fastest_is_taken_where_nothing_is_fast_enough() -> None:
    found = chosen(SLOW_RAW, 1280, 720, 60)
    assert found.format == "mjpeg"
    assert found.warning is not None
    assert found.warning.startswith("it gives 30 pictures a second at most; MJPEG")


def test_the_nearest_size_is_taken_and_said() -> None:
    found = chosen(JPEG_ONLY, 1280, 720, 20)
    assert (found.width, found.height) == (800, 600)
    assert found.warning is not None
    assert found.warning.startswith("the camera has no 1280×720: it films 800×600; MJPEG")


def test_sizes_in_steps_are_met() -> None:
    webcam = Webcam({"YUYV": {(0, 0): [30]}}, stepwise="YUYV")
    assert offers(-1, 640, 480, webcam.ioctl) == [Offer("YUYV", 640, 480, 30)]
    assert offers(-1, 650, 100, webcam.ioctl) == [Offer("YUYV", 640, 120, 30)]


@pytest.mark.parametrize("formats", [{}, {"GREY": {(640, 480): [30.0]}}])
def test_a_device_that_tells_nothing_useful_is_asked_for_yuyv(formats: dict[str, Sizes]) -> None:
    assert chosen(formats, 640, 480, 10) == ("yuyv422", 640, 480, None)


def test_a_device_that_counts_for_ever_is_not_asked_for_ever() -> None:
    asked = []

    def endless(_fd: int, request: int, buffer: bytearray) -> None:
        asked.append(request)
        buffer[-24:-20] = b"YUYV"
        buffer[8:12] = (1).to_bytes(4, "little")
        if len(asked) > 300_000:
            raise AssertionError("asked for ever")

    offers(-1, 640, 480, endless)
