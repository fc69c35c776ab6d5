"""A camera's fragments as packets of RTSP or RTMP, by PyAV: H.264 and Opus untouched."""

import io
from fractions import Fraction
from typing import Any

import av
from av.container import InputContainer, OutputContainer
from av.stream import Stream
from media.clock import AUDIO_TIMESCALE, VIDEO_TIMESCALE
from media.cmaf import VIDEO_TRACK, FragmentHeader, Init
from media.h264 import length_prefixed

from .aac import AacEncoder

_LEAD = VIDEO_TIMESCALE
"""Ticks by which pictures are decoded, by what RTSP's muxer is told, before they are shown.

FFmpeg interleaves: it holds a picture until sound of the same time has come, which is 20 to 60 ms
later. RTP has no decoding times, so a second of them lets pictures pass at once.
"""
_OPTIONS = {
    "rtsp": {
        "rtsp_transport": "tcp",
        "avoid_negative_ts": "disabled",
        # A microphone that has fallen silent must not hold pictures for its ten seconds.
        "max_interleave_delta": "1",
    },
    "flv": {
        "flvflags": "no_duration_filesize",
        "flush_packets": "1",
        "max_interleave_delta": "1",
    },
}


class Output:
    """One connection to a target; every call blocks, and raises av.FFmpegError.

    headers: the CMAF header of the video track, and of the Opus track if there is one.
    """

    def __init__(self, url: str, headers: list[bytes], aac_bitrate: int) -> None:
        self._rtsp = url.startswith("rtsp")
        form = "rtsp" if self._rtsp else "flv"
        self._container: OutputContainer = av.open(url, "w", form, options=_OPTIONS[form])
        self._inputs = [demuxer(header) for header in headers]
        init = Init.parse(headers[0])
        self._parameters = length_prefixed(init.parameter_sets)
        self._video = self._copy(self._inputs[0].streams[0])
        self._sound: Stream | None = None
        self._aac: AacEncoder | None = None
        if len(headers) > 1:
            self._add_sound(self._inputs[1].streams[0], aac_bitrate)
        self._base: Fraction | None = None

    def open(self) -> None:
        """Connect and describe the streams."""
        self._container.start_encoding()

    def write(self, fragment: bytes) -> None:
        """Write one fragment; sound before the first picture is dropped."""
        header = FragmentHeader.parse(fragment)
        video = header.track_id == VIDEO_TRACK
        scale = VIDEO_TIMESCALE if video else AUDIO_TIMESCALE
        time = Fraction(header.tfdt, scale)
        if self._base is None and video:
            self._base = time
        if self._base is None or time < self._base:
            return
        pts = round((time - self._base) * scale)
        data = fragment[header.offset :]
        if video:
            self._write_picture(data, pts, header)
        elif self._aac:
            # An encoder begins a little before its input, which would be before the first picture.
            self._container.mux([p for p in self._aac.encode(data, pts) if (p.pts or 0) >= 0])
        elif self._sound:
            self._container.mux(packet(self._sound, data, pts, pts, header.duration, True, scale))

    def close(self) -> None:
        """Say goodbye to the target."""
        self._container.close()

    def _write_picture(self, data: bytes, pts: int, header: FragmentHeader) -> None:
        if header.key and self._rtsp:
            # Whoever joins a target in the middle finds the parameter sets in the stream.
            data = self._parameters + data
        dts = pts - _LEAD if self._rtsp else pts
        self._container.mux(
            packet(self._video, data, pts, dts, header.duration, header.key, VIDEO_TIMESCALE)
        )

    def _copy(self, template: Stream) -> Stream:
        stream: Stream = self._container.add_stream_from_template(template, opaque=True)
        return stream

    def _add_sound(self, opus: Stream, aac_bitrate: int) -> None:
        if self._rtsp:
            self._sound = self._copy(opus)
        else:
            self._aac = AacEncoder(self._container, opus, aac_bitrate)


def demuxer(header: bytes) -> InputContainer:
    """What FFmpeg makes of a CMAF header: a stream with all its parameters, and no packets."""
    return av.open(io.BytesIO(header), "r", "mp4")


def packet(
    stream: Stream, data: bytes, pts: int, dts: int, duration: int, key: bool, scale: int
) -> "av.Packet[Any]":
    """A packet of a stream; times in ticks, `scale` of them a second."""
    made: av.Packet[Any] = av.Packet(data)
    made.stream = stream
    made.time_base = Fraction(1, scale)
    made.pts, made.dts, made.duration = pts, dts, duration
    made.is_keyframe = key
    return made
