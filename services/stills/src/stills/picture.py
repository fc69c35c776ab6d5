"""H.264 in, JPEG out, by PyAV: FFmpeg's codecs, kept and the only ones with a decoder API."""

from fractions import Fraction

import av
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange
from media.cmaf import Init
from media.h264 import annex_b, split_length_prefixed


class Decoder:
    """Decodes one session of a camera, a frame in and a frame out."""

    def __init__(self, init: Init) -> None:
        self._parameters = annex_b(init.parameter_sets)
        self._codec = VideoCodecContext.create("h264", "r")
        # Frame threads would each hold a picture back.
        self._codec.thread_count = 1
        self._codec.flags |= Flags.low_delay

    def decode(self, data: bytes, key: bool) -> VideoFrame | None:
        """One access unit (length-prefixed NAL units); None when no picture comes of it."""
        unit = annex_b(split_length_prefixed(data))
        try:
            frames = self._codec.decode(av.Packet(self._parameters + unit if key else unit))
        except av.FFmpegError:
            return None
        return frames[-1] if frames else None


class JpegEncoder:
    """Encodes pictures of one size."""

    def __init__(self, width: int, height: int, quality: int) -> None:
        self.size = width, height
        self._codec = VideoCodecContext.create("mjpeg", "w")
        self._codec.width, self._codec.height = width, height
        self._codec.pix_fmt = "yuvj420p"
        self._codec.time_base = Fraction(1, 1000)
        self._codec.qmin = self._codec.qmax = quality

    def encode(self, frame: VideoFrame) -> bytes:
        """One JPEG (JFIF, 4:2:0)."""
        full = frame.reformat(format="yuvj420p", dst_color_range=ColorRange.JPEG)
        full.pts = None
        return b"".join(bytes(packet) for packet in self._codec.encode(full))
