"""USB cameras: uncompressed 4:2:2 from the kernel, x264 in ffmpeg.

YUYV and not MJPEG, since decoding the camera's JPEGs costs a tenth of a Raspberry Pi's core.
"""

from pathlib import Path

from media.clock import boottime
from media.nut import Packet, Stream

from camera import ffmpeg, nodes
from camera.child import program
from camera.clocks import ArrivalClock, KernelClock
from camera.settings import Camera
from camera.source import AccessUnit, CaptureClock, Encoding, Sink, SourceError


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
    """A V4L2 node; a regular file in its place is played as the raw YUYV that it holds."""

    name = "v4l2"
    encoding: Encoding | None = "software"
    clock: CaptureClock | None = None
    simulated = False
    warning: str | None = None

    def __init__(self, camera: Camera) -> None:
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
        await self._encode(self._node(node), KernelClock(), sink)

    async def _encode(
        self, source: list[str], clock: ArrivalClock | KernelClock, sink: Sink
    ) -> None:
        def on_packet(stream: Stream, packet: Packet) -> None:
            capture = clock.capture(packet.pts, boottime())
            believed = isinstance(clock, KernelClock) and clock.believed
            self.clock = "sensor" if believed else "arrival"
            sink.unit(AccessUnit(ffmpeg.units(stream, packet), capture, packet.key))

        await ffmpeg.run([*source, *ffmpeg.x264(self._camera)], on_packet)

    def _format(self) -> list[str]:
        camera = self._camera
        size = f"{camera.width}x{camera.height}"
        return ["-video_size", size, "-framerate", f"{camera.fps:g}"]

    def _node(self, node: Path) -> list[str]:
        # With the kernel's own timestamps, which ffmpeg must not shift to begin at zero.
        kind = ["-f", "v4l2", "-input_format", "yuyv422", "-timestamps", "default"]
        return ["-copyts", *kind, *self._format(), "-i", str(node)]

    def _file(self, file: Path) -> list[str]:
        paced = ["-re", "-stream_loop", "-1", "-f", "rawvideo", "-pixel_format", "yuyv422"]
        return [*paced, *self._format(), "-i", f"file:{file}"]
