"""Debian's ustreamer, an MJPEG server, serving the picture of the camera `test`."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from camera.picture import Picture
from conftest import free_port, wait_until

SOURCE = Path("benchmarks/v4l2_pipe.c")
"""What takes the place of the V4L2 device."""
WIDTH, HEIGHT = 800, 600


def yuyv(planes: list[bytes | bytearray | memoryview], width: int) -> bytearray:
    """Planes of 4:2:0 as packed 4:2:2."""
    luma, *chroma = planes
    packed = bytearray(2 * len(luma))
    packed[0::2] = luma
    for offset, plane in zip((1, 3), chroma, strict=True):
        half = width // 2
        rows = (bytes(plane[at : at + half]) * 2 for at in range(0, len(plane), half))
        packed[offset::4] = b"".join(rows)
    return packed


def draw(pipe: str, fps: int) -> None:
    """Write pictures into the pipe, each drawn when it is due, until nobody reads."""
    picture = Picture(WIDTH, HEIGHT)
    began, number = time.monotonic(), 0
    with Path(pipe).open("wb", buffering=0) as out, contextlib.suppress(BrokenPipeError):
        while True:
            time.sleep(max(0.0, began + number / fps - time.monotonic()))
            packed = memoryview(yuyv(picture.draw(time.time()), WIDTH))
            while packed:
                packed = packed[out.write(packed) :]
            number += 1


@contextlib.contextmanager
def served(folder: Path, fps: int) -> Iterator[str]:
    """The address of its server."""
    device, library = folder / "video0", folder / "v4l2_pipe.so"
    command = ["cc", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True)
    os.mkfifo(device)
    port = free_port()
    about = {"V4L2_PIPE": device, "V4L2_WIDTH": WIDTH, "V4L2_HEIGHT": HEIGHT}
    environment = os.environ | {key: str(value) for key, value in about.items()}
    command = ["ustreamer", "-d", str(device), "-r", f"{WIDTH}x{HEIGHT}", "-f", str(fps)]
    command += ["--host", "127.0.0.1", "-p", str(port), "-q", "80"]
    drawing = [sys.executable, "-c", f"import ustreamer; ustreamer.draw({str(device)!r}, {fps})"]
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    with (folder / "ustreamer.log").open("wb") as log:
        server = subprocess.Popen(
            command, env=environment | {"LD_PRELOAD": str(library)}, stdout=log, stderr=log
        )
        painter = subprocess.Popen(drawing, env=os.environ | {"PYTHONPATH": path})
    try:
        wait_until(lambda: b"Capturing" in (folder / "ustreamer.log").read_bytes(), "it captures")
        yield f"http://127.0.0.1:{port}/"
    finally:
        for process in (painter, server):
            process.kill()
            process.wait(5)
