"""A short film for stand-in cameras: real H.264 from x264, one access unit after another."""

import re
import subprocess


def access_units(width: int, height: int, fps: float, intra: int, slices: int) -> list[bytes]:
    """Two seconds or two groups of pictures in Annex B, parameter sets before each key frame."""
    frames = max(round(2 * fps), 2 * intra)
    source = f"testsrc2=s={width}x{height}:r={fps:g}"
    done = subprocess.run(
        [
            *("ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-frames:v", str(frames)),
            *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency"),
            *("-profile:v", "baseline", "-pix_fmt", "yuv420p", "-g", str(intra)),
            *("-x264-params", f"slices={slices}:sliced-threads=0:scenecut=0:keyint={intra}"),
            *("-f", "h264", "pipe:1"),
        ],
        check=True,
        capture_output=True,
    )
    return split(done.stdout)


def split(stream: bytes) -> list[bytes]:
    """Cut where a picture's first slice, or a set before it, begins."""
    starts = [match.start() for match in re.finditer(rb"\x00\x00\x00?\x01", stream)]
    units: list[bytes] = []
    begin, complete = 0, False
    for start in starts:
        header = stream.index(b"\1", start) + 1
        kind, first = stream[header] & 31, stream[header + 1] >= 0x80
        if complete and (kind in (6, 7, 8, 9) or first):
            units.append(stream[begin:start])
            begin, complete = start, False
        complete = complete or kind in (1, 5)
    return [*units, stream[begin:]]
