"""Decodes what a demuxer gave and encodes it again, under the times that it is given."""

import asyncio
from collections import deque
from fractions import Fraction

from media.clock import VIDEO_TIMESCALE, boottime, ticks
from media.h264 import is_key
from media.nut import NutWriter, Packet, Stream

from . import ffmpeg
from .feed import Feed
from .foreign import intra_only
from .settings import Camera
from .source import AccessUnit, Sink
from .treatment import Treatment

_IN = [
    # With our times, as they are. Decoding in several threads by whole frames would hold back as
    # many frames as there are threads.
    *("-copyts", "-probesize", "32", "-analyzeduration", "0", "-fpsprobesize", "0"),
    *("-thread_type", "slice", "-noautorotate", "-f", "nut", "-i", "pipe:0"),
]
_SLOWEST = 1.0
"""Pictures a second that the rate control is told at least: below that the buffer is the limit."""
_CLOSEST = 0.05
_CATCHING_UP = 3.0
_MOST_BYTES = 32 << 20


class Overload:
    """Counts what is on its way through the encoder: more than it can do only makes it older."""

    def __init__(self, *, intra: bool) -> None:
        self._under_way: deque[tuple[int, float]] = deque()
        self._count, self._seconds = (4, 0.5) if intra else (20, 1.5)
        self._since: float | None = None

    def put(self, tick: int, now: float) -> None:
        """A picture goes in."""
        self._under_way.append((tick, now))

    def out(self, tick: int) -> None:
        """A picture has come out, and with it all that are not later."""
        self._since = self._since or boottime()
        while self._under_way and self._under_way[0][0] <= tick:
            self._under_way.popleft()

    def too_much(self, now: float) -> bool:
        """Whether no more should go in; what has waited for ffmpeg to start is caught up with."""
        if self._since is None or now - self._since < _CATCHING_UP:
            return False
        waiting = self._under_way
        return len(waiting) >= self._count and now - waiting[0][1] > self._seconds


class Encoder:
    """One ffmpeg, for one kind of stream. left_out: pictures that there was no time for."""

    def __init__(
        self, camera: Camera, stream: Stream, treatment: Treatment, fps: float, sink: Sink
    ) -> None:
        self.treatment = treatment
        self.stream = stream
        self.fps = fps
        self.left_out = 0
        self.begun = boottime()
        self._camera = camera
        self._sink = sink
        self._writer = NutWriter(stream, Fraction(1, VIDEO_TIMESCALE))
        self._intra = intra_only(stream)
        self._overload = Overload(intra=self._intra)
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._bytes = 0
        self._last = 0
        self._skipping = False
        self._stopped = False

    def put(self, capture: float, key: bool, data: bytes) -> None:
        """Take a packet that was captured at boot seconds."""
        now = boottime()
        if self._overload.too_much(now) or self._bytes > _MOST_BYTES:
            self._skipping = True
        elif key or self._intra:
            self._skipping = False
        if self._skipping:
            self.left_out += 1
            return
        tick = ticks(capture, VIDEO_TIMESCALE)
        if not self.stream.decode_delay:
            self._last = tick = max(self._last + 1, tick)
        self._overload.put(tick, now)
        packet = self._writer.packet(tick, key, data)
        self._bytes += len(packet)
        self._queue.put_nowait(packet)

    def stop(self) -> None:
        """Deliver nothing more."""
        self._stopped = True

    async def run(self, after: float | None) -> None:
        """Encode until cancelled; `after`: show only what was captured later (boot seconds).

        Always raises; SourceError says why it ended.
        """
        feed = Feed()
        feeding = asyncio.ensure_future(self._write(feed))
        try:
            await ffmpeg.run(self.arguments(after), self._deliver, stdin=feed.reader)
        finally:
            feeding.cancel()
            await asyncio.wait((feeding,))
            feed.close()

    def arguments(self, after: float | None = None) -> list[str]:
        """ffmpeg's command line. x264 goes by the rate that it believes in, and not by times."""
        camera = self._camera
        filters = self.treatment.filters((camera.width, camera.height), after)
        rate = ["-x264-params", f"fps={max(_SLOWEST, self.fps):.3f}"]
        # The picture nearest to its time becomes the key frame, and not the first one behind it.
        nearest = max(_CLOSEST, camera.key_interval - 0.5 / self.fps)
        encoder = ffmpeg.x264(camera.model_copy(update={"key_interval": nearest}))
        return [*_IN, "-vf", filters, *rate, *encoder]

    async def _write(self, feed: Feed) -> None:
        try:
            await feed.write([self._writer.header()])
            while True:
                packet = await self._queue.get()
                await feed.write([packet])
                self._bytes -= len(packet)
        except BrokenPipeError:
            return  # ffmpeg has ended, and says why itself

    def _deliver(self, stream: Stream, packet: Packet) -> None:
        if self._stopped:
            return
        self._overload.out(round(packet.pts * VIDEO_TIMESCALE))
        nals = ffmpeg.units(stream, packet)
        self._sink.unit(AccessUnit(nals, min(packet.pts, boottime()), is_key(nals)))
