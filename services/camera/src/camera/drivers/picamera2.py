"""CSI cameras through picamera2, in a process of its own.

picamera2 and libcamera cost 60 MB and may hang in the kernel: as a child they can be ended and
started again without this service. `camera.sensor` is that child.
"""

import asyncio
import struct
import sys
from pathlib import Path

from media.clock import boottime
from media.h264 import is_key, split_annex_b

from camera.child import Child
from camera.metadata_file import place
from camera.sensor import HEADER
from camera.settings import Camera
from camera.source import AccessUnit, CaptureClock, Encoding, Sink, SourceError

from .rpicam import has_encoder

_LARGEST = 8 << 20


async def missing(_camera: Camera) -> str | None:
    """Why this driver cannot be used; None when it can."""
    child = await Child.start([sys.executable, "-m", "camera.sensor", "--look"], lambda _: None)
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
        buffer = bytearray()

        def take(data: bytes) -> None:
            buffer.extend(data)
            while (end := _end_of_first(buffer)) <= len(buffer):
                _, taken = struct.unpack_from(HEADER, buffer)
                nals = split_annex_b(bytes(buffer[struct.calcsize(HEADER) : end]))
                del buffer[:end]
                capture = min(taken / 1e6, boottime())
                sink.unit(AccessUnit(nals, capture, is_key(nals)))

        child = await Child.start(self.command(), take)
        try:
            raise await child.failure()
        finally:
            await child.end()

    def command(self) -> list[str]:
        """The child's command line."""
        camera = self._camera
        return [
            *(sys.executable, "-m", "camera.sensor", "--camera", camera.device or "0"),
            *("--width", str(camera.width), "--height", str(camera.height)),
            *("--fps", f"{camera.fps:g}", "--bitrate", str(camera.bitrate_kbps * 1000)),
            *("--key-interval", f"{camera.key_interval:g}", "--metadata", str(self._metadata)),
        ]


def _end_of_first(buffer: bytearray) -> int:
    """Where the first unit in the buffer ends, or will end."""
    size = struct.calcsize(HEADER)
    if len(buffer) < size:
        return size
    length: int = struct.unpack_from(HEADER, buffer)[0]
    if length > _LARGEST:
        raise ValueError(f"an access unit of {length} bytes")
    return size + length
