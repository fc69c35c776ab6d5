"""The controls of a CSI camera, translated for rpicam-vid and for picamera2."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from camera.controls import Controls, numbers
from camera.sensor_mode import SensorMode

Values = dict[str, Any]


class Translation(NamedTuple):
    """One control: its option of rpicam-vid, and the libcamera controls that picamera2 sets."""

    option: str
    libcamera: Callable[[Any], Values]


def _named(control: str, names: Mapping[str, int]) -> Callable[[Any], Values]:
    """An enumeration of libcamera, by the names of rpicam-apps."""
    return lambda value: {control: names[value]}


def _plain(control: str) -> Callable[[Any], Values]:
    return lambda value: {control: value}


_METERING = {"centre": 0, "spot": 1, "average": 2, "custom": 3}
_AWB = ("auto", "incandescent", "tungsten", "fluorescent", "indoor", "daylight", "cloudy", "custom")
_DENOISE = {"auto": 1, "off": 0, "cdn_off": 3, "cdn_fast": 1, "cdn_hq": 2}
_AF_MODE = {"manual": 0, "auto": 1, "continuous": 2}
_MANUAL_FLICKER = 1
_MANUAL_FOCUS = 0

# Numbers of libcamera's control_ids_core.yaml and control_ids_draft.yaml; "auto" of denoise is what
# rpicam-vid makes of it for video.
TRANSLATIONS = {
    "shutter": Translation("--shutter", _plain("ExposureTime")),
    "gain": Translation("--gain", _plain("AnalogueGain")),
    "ev": Translation("--ev", _plain("ExposureValue")),
    "metering": Translation("--metering", _named("AeMeteringMode", _METERING)),
    "flicker_period": Translation(
        "--flicker-period",
        lambda value: {"AeFlickerMode": _MANUAL_FLICKER, "AeFlickerPeriod": value},
    ),
    "awb": Translation(
        "--awb", _named("AwbMode", {name: index for index, name in enumerate(_AWB)})
    ),
    "awb_gains": Translation("--awbgains", lambda value: {"ColourGains": numbers(value)}),
    "denoise": Translation("--denoise", _named("NoiseReductionMode", _DENOISE)),
    "autofocus_mode": Translation("--autofocus-mode", _named("AfMode", _AF_MODE)),
    "autofocus_range": Translation(
        "--autofocus-range", _named("AfRange", {"normal": 0, "macro": 1, "full": 2})
    ),
    "autofocus_speed": Translation(
        "--autofocus-speed", _named("AfSpeed", {"normal": 0, "fast": 1})
    ),
    "lens_position": Translation(
        "--lens-position", lambda value: {"AfMode": _MANUAL_FOCUS, "LensPosition": value}
    ),
    "brightness": Translation("--brightness", _plain("Brightness")),
    "contrast": Translation("--contrast", _plain("Contrast")),
    "saturation": Translation("--saturation", _plain("Saturation")),
    "sharpness": Translation("--sharpness", _plain("Sharpness")),
}
"""Every control that is one of libcamera's; what is set before the camera opens is not among them:
flips, rotation, roi, mode, tuning_file and hdr."""


def options(controls: Controls, mode: SensorMode | None) -> list[str]:
    """The options of rpicam-vid for what is set. mode: what `controls.mode` = full has come to."""
    given = []
    for name in controls.given:
        value = getattr(controls, name)
        if name in ("hflip", "vflip"):
            given.append(f"--{name}")
        elif name in ("rotation", "roi", "tuning_file", "hdr"):
            given += [f"--{name.replace('_', '-')}", str(value)]
        elif name in TRANSLATIONS:
            spelled = f"{value:g}" if isinstance(value, float) else str(value)
            given += [TRANSLATIONS[name].option, spelled]
    if controls.mode == "full":
        wanted = f"{mode.width}:{mode.height}:{mode.bits}:P" if mode else ""
    else:
        wanted = "" if controls.mode == "default" else controls.mode
    return [*given, "--mode", wanted] if wanted else given


def setup(controls: Controls) -> Values:
    """The same for `camera.sensor`, as plain values that JSON can hold.

    `controls` maps each setting to the libcamera controls that it sets.
    """
    turned = controls.rotation == 180
    return {
        "hflip": controls.hflip != turned,
        "vflip": controls.vflip != turned,
        "roi": numbers(controls.roi) if controls.roi else None,
        "mode": controls.mode,
        "tuning_file": controls.tuning_file or None,
        "hdr": controls.hdr,
        "controls": {
            name: TRANSLATIONS[name].libcamera(getattr(controls, name))
            for name in controls.given
            if name in TRANSLATIONS
        },
    }
