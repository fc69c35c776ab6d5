"""What a USB camera offers, and which of it is taken: raw pictures, or else what must be decoded.

Structures and numbers: linux/videodev2.h.
"""

import errno
import fcntl
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

_ENUM_FMT, _ENUM_SIZES, _ENUM_INTERVALS = 0xC0405602, 0xC02C564A, 0xC034564B
_FMT, _SIZE, _INTERVAL = "=3I32s5I", "=9I2I", "=11I2I"
_CAPTURE = 1
_DISCRETE = 1
_MOST = 64
"""Formats, sizes and intervals that are asked for at most: a broken device may count for ever."""

_RAW = {"YUYV": "yuyv422", "UYVY": "uyvy422", "NV12": "nv12", "YU12": "yuv420p"}
_CODED = {"MJPG": "mjpeg", "JPEG": "mjpeg", "H264": "h264"}
NAMES = _RAW | _CODED
"""ffmpeg's names of the formats, best first: what need not be decoded."""

_NEARLY = 0.99
"""Rates are fractions: 29.97 does for 30."""

Ioctl = Callable[[int, int, bytearray], object]


class Offer(NamedTuple):
    """One way to film: V4L2's four characters, pixels, pictures a second at most (None: any)."""

    fourcc: str
    width: int
    height: int
    fps: float | None

    def gives(self, fps: float) -> bool:
        """Whether it is fast enough."""
        return self.fps is None or self.fps >= fps * _NEARLY


class Pick(NamedTuple):
    """What is asked of the camera, and what that is not, in words."""

    format: str
    width: int
    height: int
    warning: str | None


def pick(offers: Sequence[Offer], width: int, height: int, fps: float) -> Pick:
    """The best offer; YUYV where the device tells nothing."""
    known = [offer for offer in offers if offer.fourcc in NAMES]
    if not known:
        return Pick("yuyv422", width, height, None)
    size = min(
        {(offer.width, offer.height) for offer in known},
        key=lambda size: (abs(size[0] - width) + abs(size[1] - height), size),
    )
    here = sorted(
        (offer for offer in known if (offer.width, offer.height) == size),
        key=lambda offer: list(NAMES).index(offer.fourcc),
    )
    best = next((offer for offer in here if offer.gives(fps)), None)
    best = best or max(here, key=lambda offer: offer.fps or 0)
    told = "; ".join(_shortfalls(best, here, (width, height), fps))
    return Pick(NAMES[best.fourcc], *size, told or None)


def _shortfalls(
    best: Offer, here: Sequence[Offer], asked: tuple[int, int], fps: float
) -> Iterator[str]:
    if (best.width, best.height) != asked:
        yield f"the camera has no {asked[0]}×{asked[1]}: it films {best.width}×{best.height}"
    if not best.gives(fps):
        yield f"it gives {best.fps:g} pictures a second at most"
    if best.fourcc in _CODED:
        raw = max((offer.fps or 0 for offer in here if offer.fourcc in _RAW), default=None)
        why = f"raw it gives {raw:g} pictures a second" if raw is not None else "it has no raw one"
        kind = NAMES[best.fourcc].upper()
        yield f"{kind} is decoded and encoded again, which costs CPU time ({why} of this size)"


def offers(
    fd: int, width: int, height: int, ioctl: Ioctl = lambda *args: fcntl.ioctl(*args)
) -> list[Offer]:
    """What the device of this descriptor offers; sizes in steps count as the one asked for."""
    found = []
    for fmt in _ask(fd, _ENUM_FMT, _FMT, (_CAPTURE,), ioctl):
        pixels = fmt[4]
        for size in _ask(fd, _ENUM_SIZES, _SIZE, (pixels,), ioctl):
            wide, high = _size(size, width, height)
            intervals = list(_ask(fd, _ENUM_INTERVALS, _INTERVAL, (pixels, wide, high), ioctl))
            rates = [answer[6] / answer[5] for answer in intervals if answer[5]]
            fourcc = pixels.to_bytes(4, "little").decode(errors="replace")
            found.append(Offer(fourcc, wide, high, max(rates, default=None)))
            if size[2] != _DISCRETE:
                break
    return found


def _ask(
    fd: int, request: int, shape: str, about: tuple[int, ...], ioctl: Ioctl
) -> Iterator[tuple[int, ...]]:
    """Answer after answer, until the device says that there are no more."""
    for index in range(_MOST):
        asked = struct.pack(f"={1 + len(about)}I", index, *about)
        buffer = bytearray(asked.ljust(struct.calcsize(shape), b"\0"))
        try:
            ioctl(fd, request, buffer)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOTTY):
                return
            raise
        yield struct.unpack(shape, buffer)


def _size(answer: tuple[int, ...], width: int, height: int) -> tuple[int, int]:
    if answer[2] == _DISCRETE:
        return answer[3], answer[4]
    least_w, most_w, step_w, least_h, most_h, step_h = answer[3:9]
    return _step(width, least_w, most_w, step_w), _step(height, least_h, most_h, step_h)


def _step(wanted: int, least: int, most: int, step: int) -> int:
    held = min(max(wanted, least), most)
    return held - (held - least) % max(1, step)
