"""The test camera: a drawn picture in place of a filmed one, all behind it as with a real one."""

import asyncio
import math
from collections import deque
from pathlib import Path

from media.clock import boottime, to_wall
from media.nut import Packet, Stream

from camera import ffmpeg
from camera.child import program
from camera.feed import Feed
from camera.metadata_file import MetadataFile, Value, place
from camera.picture import Picture
from camera.settings import Camera
from camera.source import AccessUnit, CaptureClock, Encoding, Sink


class TestDriver:
    """Draws, encodes with x264, and knows the very moment at which each picture was drawn."""

    __test__ = False
    name = "test"
    encoding: Encoding | None = "software"
    clock: CaptureClock | None = "sensor"
    simulated = True
    warning: str | None = None

    def __init__(self, camera: Camera, runtime_dir: Path, name: str) -> None:
        self._camera = camera
        self._metadata = place(runtime_dir, name)

    async def ready(self) -> None:
        """See source.Driver."""
        program("ffmpeg")

    async def run(self, sink: Sink) -> None:
        """See source.Driver."""
        drawn: deque[float] = deque()
        feed = Feed()

        def on_packet(stream: Stream, packet: Packet) -> None:
            # x264 neither drops nor reorders here: the oldest picture under way is this one.
            sink.unit(AccessUnit(ffmpeg.units(stream, packet), drawn.popleft(), packet.key))

        drawing = asyncio.ensure_future(self._draw(feed, drawn))
        try:
            await ffmpeg.run(self._arguments(), on_packet, stdin=feed.reader)
        finally:
            drawing.cancel()
            await asyncio.wait((drawing,))
            feed.close()

    def _arguments(self) -> list[str]:
        camera = self._camera
        size = f"{camera.width}x{camera.height}"
        raw = ["-f", "rawvideo", "-pixel_format", "yuv420p", "-video_size", size]
        rate = ["-framerate", f"{camera.fps:g}", "-probesize", "32", "-i", "pipe:0"]
        return [*raw, *rate, *ffmpeg.x264(camera)]

    async def _draw(self, feed: Feed, drawn: deque[float]) -> None:
        picture = Picture(self._camera.width, self._camera.height)
        metadata = MetadataFile(self._metadata)
        begun = boottime()
        number = 0
        try:
            while True:
                await asyncio.sleep(max(0.0, begun + number / self._camera.fps - boottime()))
                moment = boottime()
                planes = picture.draw(to_wall(moment))
                drawn.append(moment)
                await feed.write(planes)
                metadata.write(self._record(moment))
                # A picture that the encoder has no room for is left out, as by a real camera.
                passed = math.floor((boottime() - begun) * self._camera.fps)
                number = max(number, passed) + 1
        finally:
            metadata.close()

    def _record(self, moment: float) -> dict[str, Value]:
        """libcamera's keys, as a camera in a day of one minute would have them."""
        sun = math.sin(2 * math.pi * moment / 60)
        frame = 1_000_000 / self._camera.fps
        return {
            "SensorTimestamp": int(moment * 1e9),
            "ExposureTime": int(min(frame, 10_000 - 6_000 * sun)),
            "AnalogueGain": 2 - sun,
            "DigitalGain": 1.0,
            "ColourGains": [1.6 + 0.1 * sun, 1.4 - 0.1 * sun],
            "ColourTemperature": round(5000 + 1000 * sun),
            "Lux": 400 + 300 * sun,
            "FrameDuration": round(frame),
            "SensorTemperature": 38 + 2 * sun,
            "AeState": 2,
            "ScalerCrop": (0, 0, self._camera.width, self._camera.height),
            "Simulated": 1,
        }
