"""The drivers: which there are, and which one a camera uses."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from camera.settings import Camera
from camera.source import Driver, SourceError

from . import picamera2, rpicam, test, url, v4l2

Probe = Callable[[Camera], Awaitable[str | None]]

_REAL: dict[str, Probe] = {
    "picamera2": picamera2.missing,
    "rpicam": rpicam.missing,
}
"""What `auto` looks for, in this order: CSI cameras, or it would take the USB one from whom it is
configured for. Simulated hardware is never a silent fallback."""


class Choice:
    """Makes the driver of one camera; what a driver has learned outlives its failures."""

    def __init__(self, camera: Camera, runtime_dir: Path, name: str) -> None:
        self._camera = camera
        self._runtime_dir = runtime_dir
        self._name = name
        self._made: dict[str, Driver] = {}

    async def driver(self) -> Driver:
        """The driver to use now; SourceError when `auto` finds no camera, with what it missed."""
        kind: str = self._camera.driver
        if kind == "auto":
            kind = await self._detected()
        if kind not in self._made:
            self._made[kind] = self._make(kind)
        return self._made[kind]

    async def _detected(self) -> str:
        misses = []
        for kind, missing in _REAL.items():
            miss = await missing(self._camera)
            if miss is None:
                return kind
            misses.append(f"{kind}: {miss}")
        misses.append('a USB camera has driver = "v4l2"')
        raise SourceError(f"no camera found ({'; '.join(misses)})")

    def _make(self, kind: str) -> Driver:
        camera, folder, name = self._camera, self._runtime_dir, self._name
        if kind == "picamera2":
            return picamera2.Picamera2Driver(camera, folder, name)
        if kind == "rpicam":
            return rpicam.RpicamDriver(camera, folder, name)
        if kind == "v4l2":
            return v4l2.V4l2Driver(camera)
        if kind == "url":
            return url.UrlDriver(camera)
        return test.TestDriver(camera, folder, name)
