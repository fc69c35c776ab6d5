"""Stands in for picamera2: the parts of its interface that are used, real H.264 in real time."""

import os
import threading
import time
from collections.abc import Callable
from typing import Any


class Request:
    def __init__(self, metadata: dict[str, Any]) -> None:
        self._metadata = metadata

    def get_metadata(self) -> dict[str, Any]:
        return self._metadata


class Picamera2:
    def __init__(self, camera_num: int = 0) -> None:
        self.pre_callback: Callable[[Request], None] | None = None
        self._configured: dict[str, Any] = {}
        if camera_num:
            raise IndexError("list index out of range")

    @staticmethod
    def global_camera_info() -> list[dict[str, Any]]:
        found = {
            "csi": {"Model": "ov5647", "Id": "/base/soc/i2c0mux/i2c@1/ov5647@36", "Num": 0},
            "usb": {"Model": "C270", "Id": "/base/scb/pcie@7d500000/usb@0,0-1.3:1.0", "Num": 1},
        }
        return [found[name] for name in os.environ.get("STANDIN_CAMERAS", "csi").split()]

    def create_video_configuration(
        self, main: dict[str, Any], controls: dict[str, Any]
    ) -> dict[str, Any]:
        if main["format"] != "YUV420" or len(controls["FrameDurationLimits"]) != 2:
            raise RuntimeError("Bad configuration")
        return {"main": main, "controls": controls}

    def configure(self, configuration: dict[str, Any]) -> None:
        self._configured = configuration

    def start_recording(self, encoder: Any, output: Any) -> None:
        width, height = self._configured["main"]["size"]
        duration = self._configured["controls"]["FrameDurationLimits"][0]
        encoder.output = output
        encoder.prepare(width, height)
        threading.Thread(target=self._film, args=(encoder, duration / 1e6), daemon=True).start()

    def _film(self, encoder: Any, interval: float) -> None:
        begun = time.clock_gettime(time.CLOCK_BOOTTIME)
        for number in range(int(os.environ.get("STANDIN_FRAMES", "1000000"))):
            due = begun + number * interval
            time.sleep(max(0, due - time.clock_gettime(time.CLOCK_BOOTTIME)))
            taken = int((due - 0.03) * 1e9)
            record = {
                "SensorTimestamp": taken,
                "ExposureTime": 9987,
                "AnalogueGain": 2.5,
                "ColourGains": (1.5, 1.25),
                "SensorBlackLevels": (4096, 4096, 4096, 4096),
                "ScalerCrop": (16, 0, 2560, 1920),
                "AeLocked": True,
            }
            if self.pre_callback:
                self.pre_callback(Request(record))
            encoder.encode(number, taken // 1000)
        time.sleep(3600)
