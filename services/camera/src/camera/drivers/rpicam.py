"""CSI cameras through rpicam-vid, in the way that its encoder allows.

With a hardware encoder it tells the end of each picture itself, by a line of `--save-pts` right
behind it (`timed_stream.py`), and its metadata has the sensor's time.

With the software encoder it writes NUT: below version 1.8 that refuses `--save-pts`, and with
`--metadata` it dies at the first frame as soon as nothing is held back, since it takes a record
for each coded picture before it has stored one (rpicam-apps 1.13, `output/output.cpp`).
"""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from media.clock import boottime
from media.h264 import is_key
from media.nut import NutReader

from camera import ffmpeg
from camera.child import Child, program
from camera.clocks import ArrivalClock
from camera.fifo import Fifo
from camera.metadata_file import place
from camera.sensor_clock import SensorClock
from camera.sensor_mode import SensorMode, attached, choose, listed, shortfall
from camera.settings import Camera
from camera.source import AccessUnit, CaptureClock, Encoding, Sink, SourceError
from camera.timed_stream import TimedStream
from camera.whole import WholePictures

from . import libcamera

_NAMES = ("rpicam-vid", "libcamera-vid")
_HARDWARE = "bcm2835-codec-encode"
_CHUNK = 1 << 18
_LISTING = 10.0
"""Seconds that the program may take to list the cameras."""
_LESS = (
    "no sensor time and no metadata: rpicam-vid's software encoder gives them only late "
    '(driver = "picamera2" gives both)'
)


async def missing(camera: Camera) -> str | None:
    """Why this driver cannot be used; None when it can."""
    try:
        wanted, count = number(camera), len(attached(await cameras()))
    except SourceError as error:
        return str(error)
    if not count:
        return "it sees no camera (cable, or camera_auto_detect in config.txt?)"
    if wanted >= count:
        return f"there is no camera {wanted}: it sees {count}, from 0 on"
    return None


def number(camera: Camera) -> int:
    """Which camera of those that libcamera lists; SourceError when the setting is no number."""
    if camera.device and not camera.device.isdecimal():
        raise SourceError(f"device {camera.device!r}: a CSI camera is a number, such as 0")
    return int(camera.device or 0)


async def cameras() -> str:
    """What the program lists; SourceError when it is missing or does not answer."""
    name = program(*_NAMES)
    found = bytearray()
    child = await Child.start([name, "--list-cameras"], found.extend)
    try:
        async with asyncio.timeout(_LISTING):
            await child.code()
    except TimeoutError:
        raise SourceError(f"{name} --list-cameras does not answer") from None
    finally:
        await child.end()
    # It lists to stdout today, and to stderr in versions before 1.2.
    return "\n".join([found.decode(errors="replace"), *child.complaint.lines])


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
        self._camera = camera
        self._runtime_dir = runtime_dir
        self._metadata = place(runtime_dir, name)
        self._mode: SensorMode | None = None
        self.warning: str | None = None
        self._warn(None)

    def _warn(self, narrow: str | None) -> None:
        width = self._camera.width
        garbled = f"width {width} is no multiple of 32: the encoder may garble it"
        found = [
            _LESS if self.encoding == "software" else None,
            garbled if self.encoding == "hardware" and width % 32 else None,
            narrow,
        ]
        self.warning = "; ".join(text for text in found if text) or None

    async def ready(self) -> None:
        """See source.Driver."""
        program(*_NAMES)

    async def run(self, sink: Sink) -> None:
        """See source.Driver."""
        await self._choose_mode()
        await (self._hardware(sink) if self.encoding == "hardware" else self._software(sink))

    async def _choose_mode(self) -> None:
        camera = self._camera
        if camera.controls.mode != "full" or self._mode:
            return
        modes = listed(await cameras(), number(camera))
        size = (camera.width, camera.height)
        self._mode = choose(modes, *size, camera.fps)
        if self._mode:
            self._warn(shortfall(self._mode, modes, *size, camera.fps))

    async def _hardware(self, sink: Sink) -> None:
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(self._folder()))
            clock = SensorClock(self._metadata)
            stack.callback(clock.close)
            pipe = stack.enter_context(contextlib.closing(Fifo(folder / "video.h264")))
            reading = _Reading(self, sink, clock, 1 / self._camera.fps)
            child = await Child.start(self.command(folder / "video.h264"), lambda _: None)
            pipe.listen(lambda: child.guard(lambda: reading.read(pipe.fd)))
            await _until_it_ends(child)

    async def _software(self, sink: Sink) -> None:
        self.clock = "arrival"
        # An earlier run's metadata would be told as that of now.
        self._metadata.unlink(missing_ok=True)
        await _until_it_ends(await Child.start(self.command(), _packets(sink)))

    def _folder(self) -> tempfile.TemporaryDirectory[str]:
        try:
            self._runtime_dir.mkdir(parents=True, exist_ok=True)
            return tempfile.TemporaryDirectory(prefix=".rpicam-", dir=self._runtime_dir)
        except OSError as error:
            raise SourceError(f"runtime_dir {self._runtime_dir}: {error.strerror}") from error

    def command(self, pipe: Path = Path("video.h264")) -> list[str]:
        """The command line.

        Baseline: no frame is reordered. No preview, no timeout: a station runs headless and for
        ever. A fixed rate: it then does not fall in the dark, nor do counted key frames stretch.
        """
        camera = self._camera
        return [
            *(program(*_NAMES), "--timeout", "0", "--nopreview", "--verbose", "1"),
            *("--camera", str(number(camera))),
            *("--width", str(camera.width), "--height", str(camera.height)),
            *("--framerate", f"{camera.fps:g}", "--bitrate", str(camera.bitrate_kbps * 1000)),
            *("--codec", "h264", "--profile", "baseline"),
            *("--intra", str(max(1, round(camera.key_interval * camera.fps)))),
            *libcamera.options(camera.controls, self._mode),
            *(self._elementary(pipe) if self.encoding == "hardware" else self._nut()),
        ]

    def _elementary(self, pipe: Path) -> list[str]:
        """With parameter sets at each key frame, so that whoever joins can decode."""
        metadata = ["--metadata", str(self._metadata), "--metadata-format", "json"]
        return ["--inline", "--flush", "--save-pts", str(pipe), "--output", str(pipe), *metadata]

    def _nut(self) -> list[str]:
        """`--low-latency` in options of x264, which versions before 1.6 know too.

        Its threads work on slices: by whole frames each would hold one back.
        """
        camera = self._camera
        quick = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "thread_type": "slice",
            "bf": "0",
            "maxrate": str(camera.bitrate_kbps * 1000),
            "bufsize": str(camera.buffer * 1000),
        }
        options = ";".join(f"{key}={value}" for key, value in quick.items())
        return ["--libav-video-codec-opts", options, "--libav-format", "nut", "--output", "-"]


async def _until_it_ends(child: Child) -> None:
    try:
        raise await child.failure()
    finally:
        await child.end()


def _packets(sink: Sink) -> Callable[[bytes], None]:
    """Takes NUT; a picture's time is the one of its arrival, evened out by its own time."""
    reader = NutReader()
    clock = ArrivalClock()

    def take(data: bytes) -> None:
        for packet in reader.feed(data):
            nals = ffmpeg.units(reader.streams[packet.stream], packet)
            sink.unit(AccessUnit(nals, clock.capture(packet.pts, boottime()), packet.key))

    return take


class _Reading:
    """Gives each picture of a hardware encoder its sensor time."""

    def __init__(
        self, driver: RpicamDriver, sink: Sink, clock: SensorClock, interval: float
    ) -> None:
        self._driver = driver
        self._sink = sink
        self._clock = clock
        self._stream = TimedStream(interval)
        self._whole = WholePictures()

    def read(self, pipe: int) -> None:
        """Take what has come through the pipe."""
        for frame in self._stream.feed(os.read(pipe, _CHUNK)):
            capture = self._clock.capture(frame.moment, boottime())
            self._driver.clock = "sensor" if self._clock.believed else "arrival"
            if nals := self._whole.picture(frame.nals):
                self._sink.unit(AccessUnit(nals, capture, is_key(nals)))
