"""Opus to AAC, for targets that know no Opus (RTMP)."""

from typing import Any

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.stream import Stream
from media.clock import AUDIO_TIMESCALE

_SLACK = AUDIO_TIMESCALE // 50
"""Samples that the sound may be off before it is put right: one packet of 20 ms."""
_LONGEST = 5 * AUDIO_TIMESCALE
"""Samples of silence that are filled in at once; more is a new beginning."""


class AacEncoder:
    """Decodes Opus and encodes AAC-LC, mono 48 kHz, into a stream of `container`.

    The encoder counts samples and knows no gaps, so gaps are filled with silence.
    """

    def __init__(self, container: OutputContainer, opus: Stream, bitrate: int) -> None:
        self._decoder = opus.codec_context
        self._stream: AudioStream = container.add_stream("aac", rate=AUDIO_TIMESCALE)
        self._stream.codec_context.layout = "mono"
        self._stream.codec_context.bit_rate = bitrate
        self._next: int | None = None

    def encode(self, data: bytes, pts: int) -> "list[av.Packet[Any]]":
        """One Opus packet at `pts` (48 kHz) → the AAC packets that are complete with it."""
        if not isinstance(self._decoder, AudioCodecContext):
            raise TypeError("the header is not that of an Opus track")
        if self._next is None or pts - self._next > _LONGEST:
            self._next = pts
        made: list[av.Packet[Any]] = []
        if pts < self._next - _SLACK:
            return made
        if pts > self._next + _SLACK:
            made += self._take(silence(pts - self._next))
        for frame in self._decoder.decode(av.Packet(data)):
            made += self._take(frame)
        return made

    def _take(self, frame: AudioFrame) -> "list[av.Packet[Any]]":
        frame.pts = self._next
        frame.sample_rate = AUDIO_TIMESCALE
        self._next = (self._next or 0) + frame.samples
        return self._stream.encode(frame)


def silence(samples: int) -> AudioFrame:
    """So much of nothing."""
    frame = AudioFrame("fltp", "mono", samples)
    frame.sample_rate = AUDIO_TIMESCALE
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return frame
