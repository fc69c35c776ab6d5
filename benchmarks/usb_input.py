"""What a USB camera's pictures cost before they are H.264: raw (YUYV) against MJPEG.

    python benchmarks/usb_input.py [--seconds 20] [--rounds 3]

The same moving, noisy pictures are put into two files, as a webcam sends them, and encoded from
there with the options of the driver `v4l2`, as fast as it goes: CPU time (user + system) for a
second of video, the best of the rounds. What USB itself costs is not in it; YUYV needs
width × height × 2 bytes a picture there, which USB 2.0 has room for up to 640×480 at 30 fps.
Exit code 1 when raw pictures are not the cheaper ones.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

WIDTH, HEIGHT, FPS = 640, 480, 10
ENCODER = [
    *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-profile:v", "baseline"),
    *("-pix_fmt", "yuv420p", "-bf", "0", "-sc_threshold", "0", "-b:v", "800k"),
    *("-maxrate", "800k", "-bufsize", "400k", "-g", str(FPS), "-fps_mode", "passthrough"),
]
"""services/camera/src/camera/ffmpeg.py, at the defaults of the camera `usb`."""

SIZE = f"{WIDTH}x{HEIGHT}"
RAW = ["-pixel_format", "yuyv422", "-video_size", SIZE]
INPUTS: dict[str, tuple[str, list[str], list[str]]] = {
    "YUYV": ("rawvideo", RAW, ["-pix_fmt", "yuyv422"]),
    "MJPEG": ("mjpeg", [], ["-pix_fmt", "yuvj422p", "-q:v", "5"]),
}
"""Name → ffmpeg's format, how it is read, how it is made. Webcams send 4:2:2 either way."""


def make(file: Path, name: str, seconds: float) -> None:
    """Write what the camera would send."""
    form, _, options = INPUTS[name]
    source = f"testsrc2=s={SIZE}:r={FPS},noise=alls=20:allf=t"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-t", str(seconds)]
    subprocess.run([*command, *options, "-f", form, str(file)], check=True)


def encode(file: Path, name: str) -> float:
    """CPU seconds of reading and encoding a file."""
    form, options, _ = INPUTS[name]
    reading = ["-f", form, *options, "-framerate", str(FPS), "-i", str(file)]
    command = ["ffmpeg", "-v", "error", "-nostdin", *reading, *ENCODER, "-f", "null", "-"]
    child = subprocess.Popen(command)
    _, code, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(code)
    if child.returncode:
        sys.exit(f"ffmpeg ended with {child.returncode}")
    return used.ru_utime + used.ru_stime


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20, help="of video")
    parser.add_argument("--rounds", type=int, default=3, help="the best of how many")
    options = parser.parse_args()
    best = dict.fromkeys(INPUTS, float("inf"))
    with tempfile.TemporaryDirectory() as folder:
        for name in INPUTS:
            make(Path(folder) / name, name, options.seconds)
        sizes = {name: (Path(folder) / name).stat().st_size for name in INPUTS}
        for _ in range(options.rounds):
            for name in INPUTS:
                used = encode(Path(folder) / name, name)
                best[name] = min(best[name], used / options.seconds)
    print(f"{SIZE}, {FPS} fps        from the camera      CPU a second of video")
    for name, used in best.items():
        rate = sizes[name] * 8 / options.seconds / 1e6
        print(f"{name:20} {rate:8.1f} Mbit/s {used * 1000:14.0f} ms")
    less = 100 * (1 - best["YUYV"] / best["MJPEG"])
    print(f"YUYV costs {less:.0f} % less")
    return 0 if less > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
