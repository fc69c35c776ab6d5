"""Controls of CSI cameras: one declaration, and what rpicam-vid and picamera2 get of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from bus.settings import SettingsError, load
from camera.controls import Controls
from camera.drivers import libcamera, rpicam
from camera.drivers.picamera2 import Picamera2Driver
from camera.settings import Camera, Settings
from camera.source import SourceError
from camera_ear import standins
from camera_film import film

EVERYTHING: dict[str, tuple[Any, list[str], dict[str, Any]]] = {
    "hflip": (True, ["--hflip"], {}),
    "vflip": (True, ["--vflip"], {}),
    "rotation": (180, ["--rotation", "180"], {}),
    "roi": ("0.25,0.25,0.5,0.5", ["--roi", "0.25,0.25,0.5,0.5"], {}),
    "mode": ("1536:864:10:P", ["--mode", "1536:864:10:P"], {}),
    "tuning_file": ("/etc/hostname", ["--tuning-file", "/etc/hostname"], {}),
    "hdr": ("single-exp", ["--hdr", "single-exp"], {}),
    "shutter": (5000, ["--shutter", "5000"], {"ExposureTime": 5000}),
    "gain": (2.5, ["--gain", "2.5"], {"AnalogueGain": 2.5}),
    "ev": (-0.5, ["--ev", "-0.5"], {"ExposureValue": -0.5}),
    "metering": ("spot", ["--metering", "spot"], {"AeMeteringMode": 1}),
    "flicker_period": (
        10000,
        ["--flicker-period", "10000"],
        {"AeFlickerMode": 1, "AeFlickerPeriod": 10000},
    ),
    "awb": ("daylight", ["--awb", "daylight"], {"AwbMode": 5}),
    "awb_gains": ("1.5,1.25", ["--awbgains", "1.5,1.25"], {"ColourGains": [1.5, 1.25]}),
    "denoise": ("cdn_hq", ["--denoise", "cdn_hq"], {"NoiseReductionMode": 2}),
    "autofocus_mode": ("auto", ["--autofocus-mode", "auto"], {"AfMode": 1}),
    "autofocus_range": ("macro", ["--autofocus-range", "macro"], {"AfRange": 1}),
    "autofocus_speed": ("fast", ["--autofocus-speed", "fast"], {"AfSpeed": 1}),
    "lens_position": (4.5, ["--lens-position", "4.5"], {"AfMode": 0, "LensPosition": 4.5}),
    "brightness": (0.1, ["--brightness", "0.1"], {"Brightness": 0.1}),
    "contrast": (1.2, ["--contrast", "1.2"], {"Contrast": 1.2}),
    "saturation": (0, ["--saturation", "0"], {"Saturation": 0}),
    "sharpness": (2, ["--sharpness", "2"], {"Sharpness": 2}),
}
"""Setting: a value, what rpicam-vid gets, what libcamera gets through picamera2."""


@pytest.fixture
def stood_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The stand-ins, and files for what they were started with."""
    for name, value in standins().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("STANDIN_OPTIONS", str(tmp_path / "options"))
    monkeypatch.setenv("STANDIN_SETUP", str(tmp_path / "setup"))
    return tmp_path


def csi(**controls: Any) -> Camera:
    return Camera(width=320, height=240, fps=20, controls=Controls(**controls))


async def configured(folder: Path, camera: Camera) -> dict[str, Any]:
    """What picamera2 was configured with."""
    await film(Picamera2Driver(camera, folder, "csi"), 1)
    found: dict[str, Any] = json.loads((folder / "setup").read_text())
    return found


async def refused(folder: Path, camera: Camera) -> str:
    """Why picamera2 does not film."""
    with pytest.raises(SourceError) as error:
        await film(Picamera2Driver(camera, folder, "csi"), 1)
    return str(error.value)


def test_every_control_is_in_the_table() -> None:
    assert EVERYTHING.keys() == Controls.model_fields.keys()


@pytest.mark.parametrize("name", EVERYTHING)
async def test_rpicam_vid_gets_each_control(name: str, stood_in: Path) -> None:
    value, options, _ = EVERYTHING[name]
    await film(rpicam.RpicamDriver(csi(**{name: value}), stood_in, "csi"), 1)
    given = (stood_in / "options").read_text().split()
    at = given.index(options[0])
    assert given[at : at + len(options)] == options


async def test_what_is_not_set_is_left_to_rpicam_vid(stood_in: Path) -> None:
    await film(rpicam.RpicamDriver(csi(mode="default"), stood_in, "csi"), 1)
    given = (stood_in / "options").read_text().split()
    assert not {options[0] for _, options, _ in EVERYTHING.values()} & set(given)


@pytest.mark.parametrize(
    "together",
    [
        {"shutter", "gain", "ev", "metering", "flicker_period", "awb", "denoise", "sharpness"},
        {"awb_gains", "autofocus_mode", "autofocus_range", "autofocus_speed", "brightness"},
        {"lens_position", "contrast", "saturation"},
    ],
)
async def test_picamera2_gets_each_control(together: set[str], stood_in: Path) -> None:
    given = {name: EVERYTHING[name][0] for name in together}
    found = await configured(stood_in, csi(**given))
    expected = {key: value for name in together for key, value in EVERYTHING[name][2].items()}
    assert found["controls"] == {"AfMode": 2} | expected


async def test_the_camera_focuses_and_shows_all_it_sees_by_default(stood_in: Path) -> None:
    found = await configured(stood_in, csi())
    assert found["controls"] == {"AfMode": 2}, "continuous"
    assert found["raw"] == {"format": "SRGGB10_CSI2P", "size": [2304, 1296]}
    assert (found["hflip"], found["vflip"], found["tuning"]) == (False, False, None)


async def test_a_camera_without_autofocus_is_left_alone(
    stood_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STANDIN_MODEL", "ov5647")
    found = await configured(stood_in, csi())
    assert found["controls"] == {}
    assert found["raw"]["size"] == [640, 480]
    said = await refused(stood_in, csi(autofocus_mode="auto"))
    assert said == "controls.autofocus_mode: this camera has no AfMode"


@pytest.mark.parametrize(
    ("given", "hflip", "vflip"),
    [
        ({"hflip": True}, True, False),
        ({"rotation": 180}, True, True),
        ({"hflip": True, "rotation": 180}, False, True),
    ],
)
async def test_picamera2_turns_the_picture(
    given: dict[str, Any], hflip: bool, vflip: bool, stood_in: Path
) -> None:
    found = await configured(stood_in, csi(**given))
    assert (found["hflip"], found["vflip"]) == (hflip, vflip)


async def test_picamera2_gets_what_is_no_control_of_libcamera(stood_in: Path) -> None:
    found = await configured(
        stood_in,
        csi(roi="0.25,0.25,0.5,0.5", mode="1536:864", tuning_file="/etc/hostname"),
    )
    assert found["controls"]["ScalerCrop"] == [1152, 648, 2304, 1296]
    assert found["raw"]["size"] == [1536, 864]
    assert found["tuning"] == "/etc/hostname"


@pytest.mark.parametrize(
    ("controls", "says"),
    [
        ({"lens_position": 20}, "controls.lens_position = 20: this camera takes 0 to 15"),
        ({"gain": 64}, "controls.gain = 64: this camera takes 1.12 to 16"),
        (
            {"mode": "640:480"},
            "controls.mode = 640:480: this camera has 1536:864:10, 2304:1296:10, 4608:2592:10",
        ),
        ({"tuning_file": "/nowhere.json"}, "controls.tuning_file: /nowhere.json does not exist"),
        ({"hdr": "single-exp"}, "controls.hdr: this camera has no HdrMode"),
    ],
)
async def test_what_this_camera_does_not_take_is_one_clear_line(
    controls: dict[str, Any], says: str, stood_in: Path
) -> None:
    assert await refused(stood_in, csi(**controls)) == says


@pytest.mark.parametrize(
    ("hdr", "switched"), [("sensor", "0 True"), ("auto", "0 True"), ("off", "0 False")]
)
async def test_hdr_of_the_sensor_is_switched_before_it_opens(
    hdr: str, switched: str, stood_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STANDIN_HDR", str(stood_in / "hdr"))
    await configured(stood_in, csi(hdr=hdr))
    assert (stood_in / "hdr").read_text() == switched
    monkeypatch.setenv("STANDIN_MODEL", "ov5647")
    if hdr == "sensor":
        assert "this camera (ov5647) has no HDR in its sensor" in await refused(
            stood_in, csi(hdr=hdr)
        )


async def test_a_narrower_field_of_view_is_said(stood_in: Path) -> None:
    camera = csi().model_copy(update={"fps": 100})
    driver = Picamera2Driver(camera, stood_in, "csi")
    await film(driver, 1)
    assert driver.warning == "100 pictures a second cost field of view: 67% of its width are left"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("CSI__CONTROLS__ROTATION", "90", "controls.rotation of a CSI camera is 0 or 180"),
        ("USB__CONTROLS__ROTATION", "45", "0, 90, 180 or 270"),
        ("CSI__CONTROLS__ROI", "0.6,0,0.5,1", "x + width"),
        ("CSI__CONTROLS__ROI", "all", "camera.csi.controls.roi"),
        ("CSI__CONTROLS__AWB", "sunny", "'daylight'"),
        ("CSI__CONTROLS__LENS_POSITION", "-1", "greater than or equal to 0"),
        ("CSI__CONTROLS__MODE", "big", "camera.csi.controls.mode"),
        ("CSI__CONTROLS__ZOOM", "2", "unknown key"),
        ("CSI__V4L2_CONTROLS__BRIGHTNESS", "1", "v4l2_controls are for driver v4l2"),
        ("USB__CONTROLS__BRIGHTNESS", "0.5", "a USB camera has v4l2_controls"),
        ("USB__V4L2_CONTROLS__WHITE-BALANCE", "1", "white-balance"),
    ],
)
def test_wrong_settings_are_one_clear_line(
    name: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(f"BEEPER_CAMERA__{name}", value)
    with pytest.raises(SettingsError) as error:
        load(Settings)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "controls",
    [{"lens_position": 1, "autofocus_mode": "continuous"}, {"awb": "auto", "awb_gains": "1,1"}],
)
def test_controls_that_exclude_each_other_are_refused(controls: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"lens_position|awb_gains"):
        Controls(**controls)


def test_variables_and_the_file_set_controls(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "beeper.toml").write_text(
        "[camera.csi.controls]\nvflip = true\n[camera.usb.v4l2_controls]\nauto_exposure = 1\n"
    )
    monkeypatch.setenv("BEEPER_CAMERA__CSI__CONTROLS__HFLIP", "true")
    monkeypatch.setenv("BEEPER_CAMERA__USB__V4L2_CONTROLS__BRIGHTNESS", "128")
    cameras = load(Settings).camera
    assert cameras["csi"].controls.given == ["hflip", "vflip"]
    assert cameras["usb"].v4l2_controls == {"auto_exposure": 1, "brightness": "128"}


def test_the_translations_name_settings() -> None:
    assert libcamera.TRANSLATIONS.keys() <= Controls.model_fields.keys()
