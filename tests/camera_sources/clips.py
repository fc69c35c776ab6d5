"""Clips that ffmpeg draws and encodes, each made once."""

import subprocess
from functools import cache

from camera_sources.parameter_sets import Nals, access_units

BASELINE = ("-profile:v", "baseline", "-preset", "ultrafast", "-tune", "zerolatency")


@cache
def h264(size: str = "320x240", rate: int = 10, seconds: int = 3, *options: str) -> bytes:
    """Annex B with delimiters, a key frame a second, all sets before each of them."""
    return _run(
        *_pattern(size, rate, seconds),
        *("-c:v", "libx264", *(options or BASELINE), "-pix_fmt", "yuv420p", "-g", str(rate)),
        *("-x264-params", "slices=1:aud=1:repeat-headers=1:scenecut=0", "-b:v", "150k"),
        *("-f", "h264", "-"),
    )


def pictures(size: str = "320x240", rate: int = 10, seconds: int = 3, *options: str) -> list[Nals]:
    """The access units of such a stream."""
    return access_units(h264(size, rate, seconds, *options))


@cache
def jpegs(count: int = 10, size: str = "320x240", quality: int = 8, *options: str) -> list[bytes]:
    """Pictures as a camera's JPEGs."""
    source = _pattern(size, 10, count / 10)
    stream = _run(*source, *options, "-q:v", str(quality), "-f", "mjpeg", "-")
    return [b"\xff\xd8\xff" + part for part in stream.split(b"\xff\xd8\xff")[1:]]


@cache
def clip(
    form: str, *options: str, size: str = "320x240", rate: int = 10, seconds: int = 4
) -> bytes:
    """Any container; options: codec and its settings."""
    movable = ("-movflags", "frag_keyframe+empty_moov") if form == "mp4" else ()
    return _run(*_pattern(size, rate, seconds), *options, *movable, "-f", form, "-")


def _pattern(size: str, rate: int, seconds: float) -> tuple[str, ...]:
    return ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}:duration={seconds}")


def _run(*arguments: str) -> bytes:
    command = ["ffmpeg", "-v", "error", "-nostdin", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
