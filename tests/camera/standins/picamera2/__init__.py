"""Stands in for picamera2 and, on a Pi 5, its libav encoder: the parts of them that are used.

STANDIN_CAMERAS: which are attached, of csi and usb. STANDIN_MODEL: imx708 (autofocus) or ov5647.
STANDIN_FRAMES: pictures after which it stalls; STANDIN_DIES: the frame at which its thread fails.
STANDIN_SETUP: a file for what it was configured with.
"""

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MODEL = os.environ.get("STANDIN_MODEL", "imx708")
MODES = {
    "imx708": [
        ((1536, 864), 120.13, (768, 432, 3072, 1728)),
        ((2304, 1296), 56.03, (0, 0, 4608, 2592)),
        ((4608, 2592), 14.35, (0, 0, 4608, 2592)),
    ],
    "ov5647": [
        ((640, 480), 58.92, (16, 0, 2560, 1920)),
        ((1296, 972), 46.34, (0, 0, 2592, 1944)),
        ((1920, 1080), 32.81, (348, 434, 1928, 1080)),
        ((2592, 1944), 15.63, (0, 0, 2592, 1944)),
    ],
}
CONTROLS = {
    "FrameDurationLimits": (17849, 220416870, None),
    "ExposureTime": (26, 112015443, None),
    "AnalogueGain": (1.12, 16.0, 1.0),
    "ExposureValue": (-8.0, 8.0, 0.0),
    "AeMeteringMode": (0, 3, 0),
    "AeFlickerMode": (0, 1, 0),
    "AeFlickerPeriod": (100, 1000000, None),
    "AwbMode": (0, 7, 0),
    "ColourGains": (0.0, 32.0, None),
    "NoiseReductionMode": (0, 4, 0),
    "Brightness": (-1.0, 1.0, 0.0),
    "Contrast": (0.0, 32.0, 1.0),
    "Saturation": (0.0, 32.0, 1.0),
    "Sharpness": (0.0, 16.0, 1.0),
}
FOCUS = {
    "AfMode": (0, 2, 0),
    "AfRange": (0, 2, 0),
    "AfSpeed": (0, 1, 0),
    "LensPosition": (0.0, 15.0, 1.0),
}


class Request:
    def __init__(self, metadata: dict[str, Any]) -> None:
        self._metadata = metadata

    def get_metadata(self) -> dict[str, Any]:
        return self._metadata


class Picamera2:
    def __init__(self, camera_num: int = 0, tuning: str | None = None) -> None:
        self.pre_callback: Callable[[Request], None] | None = None
        self._seen: dict[str, Any] = {"tuning": tuning}
        self._size = (0, 0)
        self._duration = 0
        self._modes_read = False
        if "/usb" in self.global_camera_info()[camera_num]["Id"]:
            raise RuntimeError("Camera __init__ sequence did not complete.")

    @staticmethod
    def global_camera_info() -> list[dict[str, Any]]:
        """In this order, which is not the one of libcamera's numbers."""
        known = {
            "csi": {"Model": MODEL, "Id": f"/base/soc/i2c0mux/i2c@1/{MODEL}@36"},
            "usb": {"Model": "C270", "Id": "/base/scb/pcie@7d500000/usb@0,0-1.3:1.0"},
        }
        names = os.environ.get("STANDIN_CAMERAS", "csi").split()
        found = [known[name] | {"Num": number} for number, name in enumerate(names)]
        return sorted(
            found, key=lambda about: ("/usb" not in about["Id"], about["Id"]), reverse=True
        )

    @property
    def camera_controls(self) -> dict[str, tuple[Any, Any, Any]]:
        whole = max((crop for _, _, crop in MODES[MODEL]), key=lambda crop: crop[2])
        return CONTROLS | {"ScalerCrop": ((0, 0, 64, 64), whole, whole)} | self._focus()

    @staticmethod
    def _focus() -> dict[str, tuple[Any, Any, Any]]:
        return FOCUS if MODEL == "imx708" else {}

    @property
    def sensor_modes(self) -> list[dict[str, Any]]:
        # The real one prints: to stdout, where the pictures are.
        print("Control FrameDurationLimits")  # noqa: T201
        return [
            {
                "format": "SRGGB10_CSI2P",
                "unpacked": "SRGGB10",
                "bit_depth": 10,
                "size": size,
                "fps": fps,
                "crop_limits": crop,
                "exposure_limits": (9, 77193582, 20000),
            }
            for size, fps, crop in MODES[MODEL]
        ]

    def create_video_configuration(
        self,
        main: dict[str, Any],
        controls: dict[str, Any],
        raw: dict[str, Any] | None = None,
        transform: Any = None,
    ) -> dict[str, Any]:
        if main["format"] != "YUV420" or len(controls["FrameDurationLimits"]) != 2:
            raise RuntimeError("Bad configuration")
        return {"main": main, "controls": controls, "raw": raw, "transform": transform}

    def configure(self, configuration: dict[str, Any]) -> None:
        self._size = configuration["main"]["size"]
        self._duration = configuration["controls"]["FrameDurationLimits"][0]
        self._seen |= {
            "raw": configuration["raw"],
            "hflip": configuration["transform"].hflip,
            "vflip": configuration["transform"].vflip,
        }

    def set_controls(self, controls: dict[str, Any]) -> None:
        for name in controls:
            if name not in self.camera_controls:
                raise RuntimeError(f"Control {name} is not advertised by libcamera")
        self._seen["controls"] = controls

    def start_recording(self, encoder: Any, output: Any) -> None:
        Path(os.environ.get("STANDIN_SETUP", os.devnull)).write_text(json.dumps(self._seen))
        encoder.output = output
        encoder.prepare(*self._size)
        args = (encoder, self._duration / 1e6)
        threading.Thread(target=self._film, args=args, daemon=True).start()

    def _film(self, encoder: Any, interval: float) -> None:
        begun = time.clock_gettime(time.CLOCK_BOOTTIME)
        for number in range(int(os.environ.get("STANDIN_FRAMES", "1000000"))):
            due = begun + number * interval
            time.sleep(max(0, due - time.clock_gettime(time.CLOCK_BOOTTIME)))
            if str(number) == os.environ.get("STANDIN_DIES"):
                raise RuntimeError("Failed to queue request")
            taken = int((due - 0.03) * 1e9)
            record = {
                "SensorTimestamp": taken,
                "ExposureTime": 9987,
                "AnalogueGain": 2.5,
                "ColourGains": (1.5, 1.25),
                "SensorBlackLevels": (4096, 4096, 4096, 4096),
                "ScalerCrop": (16, 0, 2560, 1920),
                "AeLocked": True,
                "Bcm2835StatsOutput": b"\0\1",
            }
            if self.pre_callback:
                self.pre_callback(Request(record))
            encoder.encode(number, taken // 1000)
        time.sleep(3600)
