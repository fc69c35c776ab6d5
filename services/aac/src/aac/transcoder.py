"""Opus in, AAC out, on the same timeline, by PyAV: FFmpeg's codecs."""

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from media.clock import AUDIO_TIMESCALE as RATE

FRAME = 1024
"""Samples of an AAC frame: ISO/IEC 14496-3."""
SLACK = RATE // 100
"""Samples that the packets' times may stray from the count of samples before it is corrected."""
LAYOUTS = {1: "mono", 2: "stereo"}


class Frame(NamedTuple):
    """One AAC frame; `time`: samples at 48 kHz on the station's clock, of what it decodes to."""

    data: bytes
    time: int


class Transcoder:
    """One run: the sound as it comes, missing parts as silence, so that no player sees a hole.

    An AAC encoder is a frame late, and a decoder gives that back as its first, silent frame; the
    frames' times are those of what is heard. fill: seconds of silence at most in one place.
    """

    def __init__(self, channels: int, bitrate: int, fill: float) -> None:
        self._layout = LAYOUTS[channels]
        self._fill = round(fill * RATE)
        self._opus = AudioCodecContext.create("libopus", "r")
        self._opus.sample_rate, self._opus.layout = RATE, self._layout
        self._aac = AudioCodecContext.create("aac", "w")
        self._aac.sample_rate, self._aac.layout = RATE, self._layout
        self._aac.format, self._aac.bit_rate = "fltp", bitrate
        self._aac.time_base = Fraction(1, RATE)
        self._aac.open()
        self._resampler = av.AudioResampler("fltp", self._layout, RATE)
        self._pcm = AudioFifo()
        self._next: int | None = None

    @property
    def config(self) -> bytes:
        """AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1)."""
        return bytes(self._aac.extradata or b"")

    def take(self, packet: bytes, time: int) -> Iterator[Frame]:
        """One Opus packet at its time (samples): the frames that are complete by it."""
        for decoded in self._decode(packet):
            if self._next is None:
                self._next = time
            stray = time - self._next
            if not -self._fill <= stray <= self._fill:
                self._begin(time)
            elif stray > SLACK:
                yield from self._add(silence(stray, self._layout))
            elif stray < -SLACK:
                return
            yield from self._add(decoded)
            time += decoded.samples

    def _begin(self, time: int) -> None:
        """Too much is missing: what comes now has its own time, and a hole is before it."""
        self._pcm = AudioFifo()
        self._next = time

    def _decode(self, packet: bytes) -> Iterator[AudioFrame]:
        try:
            frames = self._opus.decode(av.Packet(packet))
        except av.FFmpegError:
            return
        for frame in frames:
            frame.pts = None
            yield from self._resampler.resample(frame)

    def _add(self, frame: AudioFrame) -> Iterator[Frame]:
        if self._next is None:
            return
        frame.pts = None
        self._pcm.write(frame)
        self._next += frame.samples
        while (ready := self._pcm.read(FRAME)) is not None:
            ready.pts = self._next - self._pcm.samples - FRAME
            ready.time_base = Fraction(1, RATE)
            for packet in self._aac.encode(ready):
                if packet.pts is not None:
                    yield Frame(bytes(packet), packet.pts)


def silence(samples: int, layout: str) -> AudioFrame:
    """So many samples of nothing."""
    frame = AudioFrame("fltp", layout, samples)
    frame.sample_rate = RATE
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return frame
