"""CSI cameras through rpicam-vid, which itself tells where each picture ends.

A raw H.264 stream shows the end of a picture only by the beginning of the next. With `--flush
--save-pts` rpicam-vid writes a line on another pipe right behind each picture: by then it is here.
"""

import asyncio
import contextlib
import os
import tempfile
from pathlib import Path

from media.clock import boottime
from media.h264 import AnnexBSplitter, is_key

from camera.child import Child, program
from camera.fifo import Fifo
from camera.metadata_file import place
from camera.sensor_clock import SensorClock
from camera.settings import Camera
from camera.source import AccessUnit, CaptureClock, Encoding, Sink, SourceError

_NAMES = ("rpicam-vid", "libcamera-vid")
_HARDWARE = "bcm2835-codec-encode"
_CHUNK = 1 << 18


async def missing(camera: Camera) -> str | None:
    """Why this driver cannot be used; None when it can."""
    try:
        name = program(*_NAMES)
    except SourceError as error:
        return str(error)
    found = bytearray()
    child = await Child.start([name, "--list-cameras"], found.extend)
    try:
        async with asyncio.timeout(10):
            failure = await child.failure()
    except TimeoutError:
        return f"{name} --list-cameras does not answer"
    finally:
        await child.end()
    if b"Available cameras" in found or "Available cameras" in str(failure):
        return None
    return "it sees no camera (cable, or camera_auto_detect in config.txt?)"


def has_encoder(sys: Path = Path("/sys")) -> bool:
    """Whether there is the H.264 encoder that every Raspberry Pi before the fifth has."""
    names = (sys / "class" / "video4linux").glob("*/name")
    return any(name.read_text(errors="replace").strip() == _HARDWARE for name in names)


class RpicamDriver:
    """Runs rpicam-vid, or libcamera-vid, as it was called before."""

    name = "rpicam"
    simulated = False

    def __init__(self, camera: Camera, runtime_dir: Path, name: str) -> None:
        self.encoding: Encoding | None = "hardware" if has_encoder() else "software"
        self.clock: CaptureClock | None = None
        self.warning: str | None = None
        if self.encoding == "hardware" and camera.width % 32:
            self.warning = f"width {camera.width} is no multiple of 32: the encoder may garble it"
        self._camera = camera
        self._runtime_dir = runtime_dir
        self._metadata = place(runtime_dir, name)

    async def ready(self) -> None:
        """See source.Driver."""
        program(*_NAMES)

    async def run(self, sink: Sink) -> None:
        """See source.Driver."""
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(self._folder()))
            clock = SensorClock(self._metadata)
            stack.callback(clock.close)
            # On a Pi 5 the boundaries are told only for a file whose name ends in h264.
            video = stack.enter_context(contextlib.closing(Fifo(folder / "video.h264")))
            times = stack.enter_context(contextlib.closing(Fifo(folder / "pts")))

            reading = _Reading(self, sink, clock, (video.fd, times.fd))
            child = await Child.start(self.command(folder), lambda _: None)
            video.listen(lambda: child.guard(reading.video))
            times.listen(lambda: child.guard(reading.times))
            try:
                raise await child.failure()
            finally:
                await child.end()

    def _folder(self) -> tempfile.TemporaryDirectory[str]:
        try:
            self._runtime_dir.mkdir(parents=True, exist_ok=True)
            return tempfile.TemporaryDirectory(prefix=".rpicam-", dir=self._runtime_dir)
        except OSError as error:
            raise SourceError(f"runtime_dir {self._runtime_dir}: {error.strerror}") from error

    def command(self, folder: Path) -> list[str]:
        """The command line.

        Inline headers and baseline: whoever joins can decode, and no frame is reordered. No
        preview, no timeout: a station runs headless and for ever.
        """
        camera = self._camera
        command = [
            *(program(*_NAMES), "--timeout", "0", "--nopreview", "--verbose", "1"),
            *("--camera", camera.device or "0"),
            *("--width", str(camera.width), "--height", str(camera.height)),
            # A fixed rate: it then does not fall in the dark, nor do counted key frames stretch.
            *("--framerate", f"{camera.fps:g}", "--bitrate", str(camera.bitrate_kbps * 1000)),
            *("--codec", "h264", "--profile", "baseline", "--inline"),
            *("--intra", str(max(1, round(camera.key_interval * camera.fps)))),
            *("--flush", "--save-pts", str(folder / "pts"), "--output", str(folder / "video.h264")),
            *("--metadata", str(self._metadata), "--metadata-format", "json"),
        ]
        return command if self.encoding == "hardware" else [*command, "--low-latency"]


class _Reading:
    """Puts both pipes together: the bytes of one, the boundaries of the other."""

    def __init__(
        self, driver: RpicamDriver, sink: Sink, clock: SensorClock, pipes: tuple[int, int]
    ) -> None:
        self._driver = driver
        self._sink = sink
        self._clock = clock
        self._video, self._times = pipes
        self._splitter = AnnexBSplitter()
        self._line = b""

    def video(self) -> None:
        """Take what is there of the pictures."""
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._video, _CHUNK):
                self._splitter.feed(data)

    def times(self) -> None:
        """Each line is the time of a picture (ms from the first), which is complete by now."""
        *lines, self._line = (self._line + os.read(self._times, _CHUNK)).split(b"\n")
        moments = [float(line) / 1000 for line in lines if line and not line.startswith(b"#")]
        self.video()
        for moment, nals in zip(moments, self._splitter.take(len(moments)), strict=True):
            self._deliver(nals, moment)

    def _deliver(self, nals: list[bytes], moment: float) -> None:
        capture = self._clock.capture(moment, boottime())
        self._driver.clock = "sensor" if self._clock.believed else "arrival"
        self._sink.unit(AccessUnit(nals, capture, is_key(nals)))
