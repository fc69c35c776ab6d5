"""What a USB camera lets be set, by the names of v4l2-ctl."""

import pytest
from camera.source import SourceError
from camera.v4l2_controls import apply, spelled
from camera_webcam import Knob, Webcam

KNOBS = [
    Knob(0x980001, 6, "User Controls", 0, 0),
    Knob(0x980900, 1, "Brightness", 0, 255),
    Knob(0x98090C, 2, "White Balance, Automatic", 0, 1),
    Knob(0x980918, 3, "Power Line Frequency", 0, 2, {0: "Disabled", 1: "50 Hz", 2: "60 Hz"}),
    Knob(0x9A0901, 3, "Auto Exposure", 0, 3, {1: "Manual Mode", 3: "Aperture Priority Mode"}),
    Knob(0x9A0902, 1, "Exposure Time, Absolute", 3, 2047, flags=0x10),
    Knob(0x9A090D, 1, "Zoom, Absolute", 100, 500, flags=4),
]


def given(**wanted: bool | int | str) -> list[tuple[int, int]]:
    webcam = Webcam({}, KNOBS)
    apply(-1, wanted, webcam.ioctl)
    return webcam.set


def refusal(**wanted: bool | int | str) -> str:
    webcam = Webcam({}, KNOBS)
    with pytest.raises(SourceError) as error:
        apply(-1, wanted, webcam.ioctl)
    assert not webcam.set, "nothing is set by halves"
    return str(error.value)


def test_names_are_those_of_v4l2_ctl() -> None:
    assert spelled("White Balance, Automatic") == "white_balance_automatic"
    assert spelled("Exposure Time, Absolute") == "exposure_time_absolute"


@pytest.mark.parametrize(
    ("name", "value", "number"),
    [
        ("brightness", 128, 128),
        ("brightness", "0x10", 16),
        ("white_balance_automatic", False, 0),
        ("white_balance_automatic", "true", 1),
        ("power_line_frequency", "50 Hz", 1),
        ("power_line_frequency", 2, 2),
        ("auto_exposure", "manual mode", 1),
    ],
)
def test_values_are_set(name: str, value: bool | int | str, number: int) -> None:
    ((_, found),) = given(**{name: value})
    assert found == number


def test_switches_are_set_before_what_they_hold() -> None:
    assert given(exposure_time_absolute=100, auto_exposure=1) == [(0x9A0901, 1), (0x9A0902, 100)]


def test_nothing_is_asked_where_nothing_is_set() -> None:
    apply(-1, {}, lambda *_: pytest.fail("asked"))


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("brightness", 256, "v4l2_controls.brightness = 256: the camera takes 0 to 255"),
        ("brightness", "bright", "v4l2_controls.brightness = bright: the camera takes 0 to 255"),
        (
            "auto_exposure",
            2,
            "v4l2_controls.auto_exposure = 2: the camera takes "
            "1 (Manual Mode), 3 (Aperture Priority Mode)",
        ),
        (
            "zoom_absolute",
            200,
            "v4l2_controls.zoom_absolute: the camera has no such control; it has auto_exposure, "
            "brightness, exposure_time_absolute, power_line_frequency, white_balance_automatic",
        ),
    ],
)
def test_wrong_ones_are_one_clear_line(name: str, value: int | str, says: str) -> None:
    assert refusal(**{name: value}) == says


def test_a_wrong_one_keeps_the_right_ones_from_being_set() -> None:
    assert "no such control" in refusal(brightness=1, focus=3)
