"""Real streams: what ffmpeg's encoders and its NUT muxer write, each made once."""

import io
import subprocess
from collections.abc import Callable
from functools import cache

import av
import pytest

PATTERN = ("-f", "lavfi", "-i", "testsrc2=s=320x240:r=30")
NOISE = ("-f", "lavfi", "-i", "nullsrc=s=640x480:r=30,geq=random(1)*255:128:128")
TONE = ("-f", "lavfi", "-i", "sine=f=440:r=48000")
X264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "15", "-threads", "1")
LIVE = (*X264, "-preset", "ultrafast", "-tune", "zerolatency")
NUT = ("-flags", "+global_header", "-f", "nut", "-flush_packets", "1")

STREAMS: dict[str, tuple[str, ...]] = {
    "baseline": (*PATTERN, "-t", "2", *LIVE, "-profile:v", "baseline", *NUT),
    "main": (*PATTERN, "-t", "2", *X264, "-profile:v", "main", "-bf", "0", *NUT),
    "b_frames": (*PATTERN, "-t", "2", *X264, "-profile:v", "high", "-bf", "3", *NUT),
    "delimited": (*PATTERN, "-t", "1", *LIVE, "-x264-params", "aud=1:repeat-headers=1", *NUT),
    "sliced": (*PATTERN, "-t", "1", *LIVE, "-x264-params", "slices=4:aud=0", *NUT),
    "large": (*NOISE, "-t", "0.2", *LIVE, "-qp", "1", *NUT),
    "opus": (*TONE, "-t", "2", "-ac", "1", "-c:a", "libopus", "-frame_duration", "20", *NUT),
    "aac": (*TONE, "-t", "2", "-ac", "2", "-c:a", "aac", *NUT),
    "mp3": (*TONE, "-t", "2", "-ac", "1", "-c:a", "libmp3lame", *NUT),
    "both": (*PATTERN, *TONE, "-t", "2", *LIVE, "-ac", "1", "-c:a", "libopus", *NUT),
    "broadcast": (
        *(*PATTERN, *TONE, "-t", "1", *LIVE, "-c:a", "libopus", *NUT),
        *("-strict", "experimental", "-syncpoints", "timestamped"),
    ),
    "no_syncpoints": (
        *(*PATTERN, *TONE, "-t", "1", *LIVE, "-c:a", "libopus", *NUT),
        *("-strict", "experimental", "-syncpoints", "none"),
    ),
}


@cache
def encode(name: str) -> bytes:
    command = ("ffmpeg", "-v", "error", "-nostdin", *STREAMS[name], "-")
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


@cache
def demux(name: str) -> tuple[tuple[int, float, bool, bytes], ...]:
    with av.open(io.BytesIO(encode(name)), "r", format="nut") as container:
        return tuple(
            (packet.stream.index, float(packet.pts * packet.time_base), packet.is_keyframe, data)
            for packet in container.demux()
            if packet.pts is not None and (data := bytes(packet))
        )


@pytest.fixture(scope="session")
def nut_stream() -> Callable[[str], bytes]:
    """The bytes of one of STREAMS, as ffmpeg writes them to a pipe."""
    return encode


@pytest.fixture(scope="session")
def reference_packets() -> Callable[[str], tuple[tuple[int, float, bool, bytes], ...]]:
    """The packets of one of STREAMS by ffmpeg's own demuxer: stream, seconds, key, data."""
    return demux
