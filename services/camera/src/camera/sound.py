"""The sound of a camera: its own encoder process, so that it can never hold up a picture."""

import asyncio
import math
import struct
from collections.abc import Callable

from media.clock import boottime, wall_offset
from media.nut import Packet, Stream

from . import ffmpeg
from .address import Address
from .clocks import SampleClock
from .feed import Feed
from .opening import opened
from .settings import Camera
from .source import SourceError

RATE = 48_000
PACKET = RATE // 50
"""Samples of 20 ms."""

_FASTEST = 200
"""Packets a second: four times what there can be. Such a source has no clock."""

Take = Callable[[bytes, float], None]


class Microphone:
    """One run of the sound's encoder.

    `begin` gets the encoder's pre-skip (samples) before the first packet.
    """

    def __init__(self, camera: Camera, begin: Callable[[int], None]) -> None:
        self._camera = camera
        self._begin = begin
        self._pre_skip = 0
        self._begun = 0.0
        self._count = 0

    async def run(self, take: Take) -> None:
        """Hand every packet and its capture time (boot seconds) to `take`; SourceError at its end.

        The capture time is that of what a decoder plays: the encoder's look-ahead is taken off.
        """
        if self._camera.audio == "test":
            await self._beep(take)
            return
        clock = SampleClock()

        def on_packet(stream: Stream, packet: Packet) -> None:
            now = boottime()
            self._started(stream, now)
            take(packet.data, clock.capture(now) - self._pre_skip / RATE)

        if self._camera.audio == "source":
            await self._hear(on_packet)
            return
        device = self._camera.audio.removeprefix("alsa:")
        # ffmpeg's default is stereo, which a dsnoop device of one channel refuses.
        mono = ["-channels", "1", "-sample_rate", str(RATE)]
        arguments = ["-f", "alsa", *mono, "-i", device]
        await ffmpeg.run([*arguments, *self._encoder()], on_packet)

    async def _hear(self, on_packet: ffmpeg.OnPacket) -> None:
        """The sound of the camera's own url."""
        camera = self._camera
        address = Address(camera.url.get_secret_value())
        async with opened(address, camera.fps) as source:
            if source.silent:
                raise SourceError("the camera has no sound")
            arguments = [*source.arguments, "-map", "0:a:0", *self._encoder()]
            await ffmpeg.run(arguments, on_packet, stdin=source.stdin, source=address)

    def _encoder(self) -> list[str]:
        return ffmpeg.opus(self._camera.audio_bitrate_kbps)

    def _started(self, stream: Stream, now: float) -> None:
        """Look at the header before the first packet, and at the rate behind the first second."""
        if not self._count:
            self._begun = now
            # OpusHead: RFC 7845 §5.1.
            self._pre_skip = struct.unpack_from("<H", stream.extradata.ljust(12, b"\0"), 10)[0]
            self._begin(self._pre_skip)
        self._count += 1
        if self._count > _FASTEST * (1 + now - self._begun):
            raise ValueError("it gives sound faster than time passes")

    async def _beep(self, take: Take) -> None:
        feed = Feed()
        begun = boottime()

        def on_packet(stream: Stream, packet: Packet) -> None:
            number = self._count
            self._started(stream, boottime())
            take(packet.data, begun + number * PACKET / RATE - self._pre_skip / RATE)

        beeping = asyncio.ensure_future(beep(feed, begun))
        pcm = ["-f", "s16le", "-ar", str(RATE), "-ac", "1", "-probesize", "32", "-i", "pipe:0"]
        try:
            await ffmpeg.run([*pcm, *self._encoder()], on_packet, stdin=feed.reader)
        finally:
            beeping.cancel()
            await asyncio.wait((beeping,))
            feed.close()


async def beep(feed: Feed, begun: float) -> None:
    """Feed silence with 1 kHz for 50 ms at each whole second of the wall clock.

    As from a sound card, samples come when their time is over; the first is that of `begun`.
    """
    number = 0
    while True:
        first = begun + number * PACKET / RATE
        await asyncio.sleep(max(0.0, first + PACKET / RATE - boottime()))
        await feed.write([samples(first + wall_offset())])
        number += 1


_TONE = b"".join(
    struct.pack("<h", round(8000 * math.sin(2 * math.pi * 1000 * n / RATE)))
    for n in range(RATE // 20)
)
_SECOND = _TONE + bytes(2 * RATE - len(_TONE) + 2 * PACKET)
"""Samples of one second, S16_LE, and as much of silence again as a packet may reach over it."""


def samples(unix: float) -> bytes:
    """The 20 ms from this moment on (Unix seconds): 960 samples, S16_LE."""
    start = round(unix % 1 * RATE)
    piece = _SECOND[2 * start : 2 * (start + PACKET)]
    over = start + PACKET - RATE
    return piece[: 2 * (PACKET - over)] + _TONE[: 2 * over] if over > 0 else piece
