"""USB cameras: uncompressed pictures from the kernel, x264 in ffmpeg.

YUYV before MJPEG, since decoding the camera's JPEGs costs a tenth of a Raspberry Pi's core. MJPEG
where the camera has nothing else of this size, or nothing that is as fast as asked.
"""

import asyncio
import os
from pathlib import Path

from media.clock import boottime
from media.nut import Packet, Stream

from camera import ffmpeg, nodes, v4l2_controls
from camera.child import program
from camera.clocks import ArrivalClock, KernelClock
from camera.controls import Controls, numbers
from camera.settings import Camera
from camera.source import AccessUnit, CaptureClock, Encoding, Sink, SourceError
from camera.v4l2_formats import Pick, offers, pick

_MJPEG = (".mjpeg", ".mjpg")


async def missing(camera: Camera) -> str | None:
    """Why this driver cannot be used; None when it can."""
    try:
        program("ffmpeg")
        if not recording(camera):
            nodes.find(node_name(camera))
    except SourceError as error:
        return str(error)
    return None


def recording(camera: Camera) -> Path | None:
    """The file that stands in for the device, if one does."""
    path = Path(camera.device)
    return path if camera.device and path.is_file() else None


def node_name(camera: Camera) -> str:
    """The device, when it is a node and not the number of a CSI camera; else empty."""
    return camera.device if camera.device.startswith("/") else ""


class V4l2Driver:
    """A V4L2 node; a file in its place is played: raw YUYV, or JPEGs where its name says so."""

    name = "v4l2"
    encoding: Encoding | None = "software"
    clock: CaptureClock | None = None
    simulated = False

    def __init__(self, camera: Camera) -> None:
        self.warning: str | None = None
        self._camera = camera

    async def ready(self) -> None:
        """See source.Driver."""
        if miss := await missing(self._camera):
            raise SourceError(miss)

    async def run(self, sink: Sink) -> None:
        """See source.Driver."""
        camera = self._camera
        file = recording(camera)
        self.simulated = file is not None
        if file:
            await self._encode(self._file(file), ArrivalClock(), sink)
        node = nodes.find(node_name(camera))
        picked = await asyncio.to_thread(prepare, node, camera)
        self.warning = picked.warning
        await self._encode(self._node(node, picked), KernelClock(), sink)

    async def _encode(
        self, source: list[str], clock: ArrivalClock | KernelClock, sink: Sink
    ) -> None:
        def on_packet(stream: Stream, packet: Packet) -> None:
            capture = clock.capture(packet.pts, boottime())
            believed = isinstance(clock, KernelClock) and clock.believed
            self.clock = "sensor" if believed else "arrival"
            sink.unit(AccessUnit(ffmpeg.units(stream, packet), capture, packet.key))

        filters = geometry(self._camera.controls)
        given = ["-vf", ",".join(filters)] if filters else []
        await ffmpeg.run([*source, *given, *ffmpeg.x264(self._camera)], on_packet)

    def _node(self, node: Path, picked: Pick) -> list[str]:
        # With the kernel's own timestamps, which ffmpeg must not shift to begin at zero.
        kind = ["-f", "v4l2", "-input_format", picked.format, "-timestamps", "default"]
        size = ["-video_size", f"{picked.width}x{picked.height}"]
        rate = ["-framerate", f"{self._camera.fps:g}"]
        # Decoding by whole frames would hold back as many of them as there are threads.
        return ["-copyts", "-thread_type", "slice", *kind, *size, *rate, "-i", str(node)]

    def _file(self, file: Path) -> list[str]:
        camera = self._camera
        rate = ["-framerate", f"{camera.fps:g}"]
        raw = ["-f", "rawvideo", "-pixel_format", "yuyv422"]
        size = ["-video_size", f"{camera.width}x{camera.height}"]
        kind = ["-f", "mjpeg"] if file.suffix in _MJPEG else [*raw, *size]
        return ["-re", "-stream_loop", "-1", *kind, *rate, "-i", f"file:{file}"]


def prepare(node: Path, camera: Camera) -> Pick:
    """Set the controls, and pick among what the camera offers; SourceError when it cannot."""
    fd = os.open(node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        v4l2_controls.apply(fd, camera.v4l2_controls)
        offered = offers(fd, camera.width, camera.height)
        return pick(offered, camera.width, camera.height, camera.fps)
    except SourceError:
        raise
    except OSError as error:
        raise SourceError(f"{node}: {error.strerror}") from error
    finally:
        os.close(fd)


def geometry(controls: Controls) -> list[str]:
    """ffmpeg's filters: the region is one of the picture as it comes, then it is turned."""
    found = []
    if controls.roi:
        x, y, width, height = numbers(controls.roi)
        size = f"trunc(iw*{width:g}/2)*2:trunc(ih*{height:g}/2)*2"
        found.append(f"crop={size}:iw*{x:g}:ih*{y:g}")
    found += ["hflip"] if controls.hflip else []
    found += ["vflip"] if controls.vflip else []
    turns = {90: ["transpose=clock"], 180: ["hflip", "vflip"], 270: ["transpose=cclock"]}
    return found + turns.get(controls.rotation, [])
