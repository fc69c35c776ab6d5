"""CSI cameras through picamera2, in a process of its own.

picamera2 and libcamera cost 60 MB and may hang in the kernel: as a child they can be ended and
started again without this service. `camera.sensor` is that child.
"""

import asyncio
import json
import struct
import sys
from pathlib import Path

from media.clock import boottime
from media.h264 import is_key, split_annex_b

from camera.child import Child
from camera.metadata_file import place
from camera.sensor import HEADER, NOTE
from camera.settings import Camera
from camera.source import AccessUnit, CaptureClock, Encoding, Sink, SourceError
from camera.whole import WholePictures

from . import libcamera
from .rpicam import has_encoder, number

_LARGEST = 8 << 20


async def missing(camera: Camera) -> str | None:
    """Why this driver cannot be used; None when it can."""
    try:
        wanted = str(number(camera))
    except SourceError as error:
        return str(error)
    look = [sys.executable, "-m", "camera.sensor", "--look", "--camera", wanted]
    child = await Child.start(look, lambda _: None)
    try:
        async with asyncio.timeout(20):
            code = await child.code()
    except TimeoutError:
        return "it does not answer"
    finally:
        await child.end()
    return None if code == 0 else str(await child.failure())


class Picamera2Driver:
    """Reads access units from the child, each with its sensor time."""

    name = "picamera2"
    clock: CaptureClock | None = "sensor"
    simulated = False

    def __init__(self, camera: Camera, runtime_dir: Path, name: str) -> None:
        self.encoding: Encoding | None = "hardware" if has_encoder() else "software"
        self.warning: str | None = None
        self._camera = camera
        self._metadata = place(runtime_dir, name)

    async def ready(self) -> None:
        """See source.Driver."""
        if miss := await missing(self._camera):
            raise SourceError(miss)

    async def run(self, sink: Sink) -> None:
        """See source.Driver."""
        reading = _Reading(self, sink)
        child = await Child.start(self.command(), reading.take)
        try:
            raise await child.failure()
        finally:
            await child.end()

    def command(self) -> list[str]:
        """The child's command line."""
        camera = self._camera
        return [
            *(sys.executable, "-m", "camera.sensor", "--camera", str(number(camera))),
            *("--width", str(camera.width), "--height", str(camera.height)),
            *("--fps", f"{camera.fps:g}", "--bitrate", str(camera.bitrate_kbps * 1000)),
            *("--key-interval", f"{camera.key_interval:g}", "--metadata", str(self._metadata)),
            *("--setup", json.dumps(libcamera.setup(camera.controls))),
        ]


class _Reading:
    """Takes apart what the child writes."""

    def __init__(self, driver: Picamera2Driver, sink: Sink) -> None:
        self._driver = driver
        self._sink = sink
        self._buffer = bytearray()
        self._whole = WholePictures()
        self._notes: list[str] = []
        driver.warning = None

    def take(self, data: bytes) -> None:
        """Deliver every picture that is complete."""
        buffer = self._buffer
        buffer.extend(data)
        while (end := _end_of_first(buffer)) <= len(buffer):
            _, taken = struct.unpack_from(HEADER, buffer)
            self._unit(bytes(buffer[struct.calcsize(HEADER) : end]), taken)
            del buffer[:end]

    def _unit(self, data: bytes, taken: int) -> None:
        if taken == NOTE:
            self._notes.append(data.decode(errors="replace"))
            self._driver.warning = "; ".join(self._notes)
        elif nals := self._whole.picture(split_annex_b(data)):
            self._sink.unit(AccessUnit(nals, min(taken / 1e6, boottime()), is_key(nals)))


def _end_of_first(buffer: bytearray) -> int:
    """Where the first unit in the buffer ends, or will end."""
    size = struct.calcsize(HEADER)
    if len(buffer) < size:
        return size
    length: int = struct.unpack_from(HEADER, buffer)[0]
    if length > _LARGEST:
        raise ValueError(f"an access unit of {length} bytes")
    return size + length
