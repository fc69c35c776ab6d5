"""Finds the V4L2 node of a USB camera, and says why one cannot be used."""

import errno
import fcntl
import os
import stat
import struct
from pathlib import Path

from .source import SourceError

# linux/videodev2.h: v4l2_capability (104 bytes) and v4l2_requestbuffers (20 bytes).
_QUERYCAP = 0x80685600
_REQBUFS = 0xC0145608
_CAPTURE = 0x1
_DEVICE_CAPS = 0x8000_0000
_TYPE_CAPTURE, _MEMORY_MMAP = 1, 1

_NOT_CAMERAS = ("bcm2835-", "bm2835 mmal", "pispbe", "rp1-cfe", "unicam", "rpivid", "rpi-hevc-dec")
"""A Raspberry Pi's codecs, image processors and CSI receivers, which are nodes too."""


def find(device: str, dev: Path = Path("/dev")) -> Path:
    """The node of the camera: the named one, else the first, preferably by its stable name.

    Raises SourceError: no device, no permission, busy, or no camera.
    """
    if device:
        path = Path(device)
        check(path)
        return path
    problem = SourceError("no device: there is no USB camera")
    for path in candidates(dev):
        try:
            check(path)
        except NotACameraError:
            continue
        except SourceError as error:
            problem = error
        else:
            return path
    raise problem


def candidates(dev: Path) -> list[Path]:
    """Stable names first, then nodes that have none."""
    stable = sorted((dev / "v4l" / "by-id").glob("*-video-index*"))
    named = {path.resolve() for path in stable}
    nodes = sorted(dev.glob("video*"), key=lambda path: (len(path.name), path.name))
    return stable + [path for path in nodes if path.resolve() not in named]


class NotACameraError(SourceError):
    """The node works, and is something else."""


def check(path: Path) -> None:
    """Open the node and ask; SourceError says what stands in the way."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise SourceError(_opening(error, path)) from error
    try:
        if not stat.S_ISCHR(os.fstat(fd).st_mode):
            raise NotACameraError(f"{path} is not a device")
        _ask(fd, path)
    finally:
        os.close(fd)


def _opening(error: OSError, path: Path) -> str:
    if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTDIR):
        return f"no device: {path} does not exist (unplugged?)"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"no permission: {path} (add the user to the group video)"
    if error.errno == errno.EBUSY:
        return f"busy: another program uses {path}"
    return f"{path}: {error.strerror}"


def _ask(fd: int, path: Path) -> None:
    answer = bytearray(104)
    try:
        fcntl.ioctl(fd, _QUERYCAP, answer)
    except OSError as error:
        raise NotACameraError(f"{path} is not a camera") from error
    driver = answer[:16].rstrip(b"\0").decode(errors="replace")
    card = answer[16:48].rstrip(b"\0").decode(errors="replace")
    everything, own = struct.unpack_from("=II", answer, 84)
    abilities = own if everything & _DEVICE_CAPS else everything
    if not abilities & _CAPTURE or driver.startswith(_NOT_CAMERAS) or card.startswith(_NOT_CAMERAS):
        raise NotACameraError(f"{path} ({card}) is not a USB camera")
    try:
        # To give back no buffers is harmless, and refused while somebody else streams.
        fcntl.ioctl(fd, _REQBUFS, struct.pack("=5I", 0, _TYPE_CAPTURE, _MEMORY_MMAP, 0, 0))
    except OSError as error:
        if error.errno == errno.EBUSY:
            raise SourceError(_opening(error, path)) from error
