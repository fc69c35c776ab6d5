"""How the picamera2 process configures its camera: sensor mode, orientation, controls.

Settings that this camera cannot take end the process with one line that names them.
"""

import argparse
import sys
from collections.abc import Iterator
from typing import Any

from .sensor_mode import SensorMode, choose, shortfall

_CONTINUOUS_FOCUS = 2
_SINGLE_EXPOSURE = 3
_SENSOR_HDR = "imx708"


def before_opening(model: str, number: int, setup: dict[str, Any]) -> None:
    """Switch the HDR of a Camera Module 3's sensor, which must happen before it is opened."""
    hdr = setup.get("hdr")
    if hdr == "sensor" and _SENSOR_HDR not in model:
        sys.exit(f"controls.hdr = sensor: this camera ({model}) has no HDR in its sensor")
    if hdr in ("off", "auto", "sensor") and _SENSOR_HDR in model:
        from picamera2.devices.imx708 import IMX708

        with IMX708(number) as sensor:
            sensor.set_sensor_hdr_mode(hdr != "off")


def configure(camera: Any, options: argparse.Namespace) -> Iterator[str]:
    """Configure the camera as asked; what is not as wished comes out in words."""
    import libcamera

    setup = options.setup
    wanted: dict[str, Any] = {"main": {"format": "YUV420", "size": (options.width, options.height)}}
    raw, warning = raw_stream(camera, options)
    if warning:
        yield warning
    if raw:
        wanted["raw"] = raw
    flips = {"hflip": setup.get("hflip", False), "vflip": setup.get("vflip", False)}
    wanted["transform"] = libcamera.Transform(**flips)
    duration = round(1_000_000 / options.fps)
    # A fixed rate: it then does not fall in the dark, nor do counted key frames stretch.
    wanted["controls"] = {"FrameDurationLimits": (duration, duration)}
    camera.configure(camera.create_video_configuration(**wanted))
    camera.set_controls(controls(camera, setup))


def raw_stream(camera: Any, options: argparse.Namespace) -> tuple[dict[str, Any] | None, str]:
    """The sensor mode as picamera2 wants it, and what it does not give.

    To know the modes, picamera2 configures the camera once for each: about a second.
    """
    wanted = options.setup.get("mode", "full")
    if wanted == "default":
        return None, ""
    known = {mode: raw for raw in camera.sensor_modes if (mode := _as_mode(raw))}
    if wanted != "full":
        width, height, *bits = wanted.upper().split(":")
        fits = [m for m in known if (m.width, m.height) == (int(width), int(height))]
        fits = [m for m in fits if not bits or m.bits == int(bits[0])]
        if not fits:
            sizes = ", ".join(sorted({f"{m.width}:{m.height}:{m.bits}" for m in known}))
            sys.exit(f"controls.mode = {wanted}: this camera has {sizes}")
        return _stream(known[fits[0]]), ""
    size = (options.width, options.height)
    best = choose(list(known), *size, options.fps)
    if best is None:
        return None, ""
    return _stream(known[best]), shortfall(best, list(known), *size, options.fps) or ""


def _as_mode(raw: dict[str, Any]) -> SensorMode | None:
    if not {"size", "bit_depth", "fps", "crop_limits"} <= raw.keys():
        return None
    width, height = raw["size"]
    _, _, crop_width, crop_height = raw["crop_limits"]
    return SensorMode(width, height, raw["bit_depth"], raw["fps"], crop_width, crop_height)


def _stream(raw: dict[str, Any]) -> dict[str, Any]:
    return {"format": str(raw["format"]), "size": raw["size"]}


def controls(camera: Any, setup: dict[str, Any]) -> dict[str, Any]:
    """The libcamera controls for what is set; a value that the camera does not take ends it."""
    found: dict[str, Any] = {}
    for setting, values in setup.get("controls", {}).items():
        for name, value in values.items():
            _check(camera, setting, name, value)
            found[name] = value
    if setup.get("hdr") == "single-exp":
        _check(camera, "hdr", "HdrMode", _SINGLE_EXPOSURE)
    in_the_isp = setup.get("hdr") == "auto" and "HdrMode" in camera.camera_controls
    if setup.get("hdr") == "single-exp" or in_the_isp:
        found["HdrMode"] = _SINGLE_EXPOSURE
    if setup.get("roi"):
        found["ScalerCrop"] = _crop(camera.camera_controls["ScalerCrop"][1], setup["roi"])
    # libcamera's own default is manual focus at a fixed distance.
    if "AfMode" in camera.camera_controls and "AfMode" not in found:
        found["AfMode"] = _CONTINUOUS_FOCUS
    return found


def _check(camera: Any, setting: str, name: str, value: Any) -> None:
    if name not in camera.camera_controls:
        sys.exit(f"controls.{setting}: this camera has no {name}")
    least, most, _ = camera.camera_controls[name]
    bounded = all(isinstance(limit, int | float) for limit in (least, most, value))
    if bounded and not least <= value <= most:
        sys.exit(f"controls.{setting} = {value:g}: this camera takes {least:g} to {most:g}")


def _crop(whole: tuple[int, int, int, int], roi: list[float]) -> tuple[int, int, int, int]:
    """The region in pixels of the sensor, even as its colour filter wants it."""
    x, y, width, height = whole
    left, top = x + int(roi[0] * width), y + int(roi[1] * height)
    return left & ~1, top & ~1, int(roi[2] * width) & ~1, int(roi[3] * height) & ~1
