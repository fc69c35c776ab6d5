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
    """Makes the driver of one camera; what a driver has learned outlives its failures.

    `auto` goes on to the next driver when one ends without a picture. Once all of them have, it
    begins anew.
    """

    def __init__(self, camera: Camera, runtime_dir: Path, name: str) -> None:
        self._camera = camera
        self._runtime_dir = runtime_dir
        self._name = name
        self._made: dict[str, Driver] = {}
        self._failed: dict[str, str] = {}
        self._running = ""

    async def driver(self) -> Driver:
        """The driver to use now; SourceError when `auto` finds no camera, with what it missed."""
        kind: str = self._camera.driver
        if kind == "auto":
            kind = await self._detected()
        if kind not in self._made:
            self._made[kind] = self._make(kind)
        self._running = kind
        return self._made[kind]

    def delivered(self) -> None:
        """The driver gives pictures: whatever ends it later, it is the one to use."""
        self._running = ""

    def ended(self, error: str) -> None:
        """The attempt is over. Without a picture, another driver may do better."""
        if self._running:
            self._failed[self._running] = error
        self._running = ""

    @property
    def warning(self) -> str | None:
        """Why `auto` uses another driver than its first; None when it does not."""
        misses = [f"{kind} cannot film: {error}" for kind, error in self._failed.items()]
        return "; ".join(misses) if self._camera.driver == "auto" and misses else None

    async def _detected(self) -> str:
        misses = dict(self._failed)
        for kind, missing in _REAL.items():
            if kind in misses:
                continue
            miss = await missing(self._camera)
            if miss is None:
                return kind
            misses[kind] = miss
        what = "no driver can film" if self._failed else "no camera found"
        self._failed.clear()
        told = [f"{kind}: {misses[kind]}" for kind in _REAL]
        told.append('a USB camera has driver = "v4l2"')
        raise SourceError(f"{what} ({'; '.join(told)})")

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
