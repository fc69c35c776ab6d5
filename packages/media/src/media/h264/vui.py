"""Video usability information of a sequence parameter set: H.264 annex E."""

from dataclasses import dataclass
from fractions import Fraction

from media.h264.bits import BitReader, H264Error

_EXTENDED_SAR = 255
_SHAPES = (
    *((1, 1), (1, 1), (12, 11), (10, 11), (16, 11), (40, 33), (24, 11), (20, 11), (32, 11)),
    *((80, 33), (18, 11), (15, 11), (64, 33), (160, 99), (4, 3), (3, 2), (2, 1)),
)
"""aspect_ratio_idc 0 to 16: table E-1; 0 means that it is not known."""


@dataclass(frozen=True, slots=True)
class Vui:
    """What matters here of it, and where it stands (in bits of the payload).

    reorder_at and reorder_frames are None without bitstream_restriction. pixel_shape: table E-1.
    """

    frame_rate: float | None
    restriction_at: int
    reorder_at: int | None = None
    reorder_frames: int | None = None
    buffering: int = 0
    pixel_shape: Fraction = Fraction(1)


def read_vui(bits: BitReader) -> Vui:
    """vui_parameters (§E.1.1), to its end."""
    shape = _read_pixel_shape(bits)
    _skip_signal(bits)
    frame_rate = _read_frame_rate(bits)
    described = [_skip_hrd(bits), _skip_hrd(bits)]
    if any(described):
        bits.flag()
    bits.flag()
    restriction_at = bits.position
    if not bits.flag():
        return Vui(frame_rate, restriction_at, pixel_shape=shape)
    bits.flag()
    for _ in range(4):
        bits.unsigned()
    reorder_at = bits.position
    return Vui(frame_rate, restriction_at, reorder_at, bits.unsigned(), bits.unsigned(), shape)


def _read_pixel_shape(bits: BitReader) -> Fraction:
    """Width by height of a pixel; 1 for what is not said, or reserved."""
    if not bits.flag():
        return Fraction(1)
    kind = bits.fixed(8)
    if kind == _EXTENDED_SAR:
        width, height = bits.fixed(16), bits.fixed(16)
        return Fraction(width, height) if width and height else Fraction(1)
    return Fraction(*_SHAPES[kind]) if kind < len(_SHAPES) else Fraction(1)


def _skip_signal(bits: BitReader) -> None:
    """Overscan, signal type and chroma location."""
    if bits.flag():
        bits.flag()
    if bits.flag():
        bits.fixed(4)
        if bits.flag():
            bits.fixed(24)
    if bits.flag():
        bits.unsigned()
        bits.unsigned()


def _read_frame_rate(bits: BitReader) -> float | None:
    """A frame lasts two ticks, since a field lasts one."""
    if not bits.flag():
        return None
    ticks, scale = bits.fixed(32), bits.fixed(32)
    bits.flag()
    return scale / (2 * ticks) if ticks and scale else None


def _skip_hrd(bits: BitReader) -> bool:
    """hrd_parameters (§E.1.2) with the flag before them; whether they are present."""
    if not bits.flag():
        return False
    count = bits.unsigned() + 1
    if count > 32:
        raise H264Error("more than 32 coded picture buffers")
    bits.fixed(8)
    for _ in range(count):
        bits.unsigned()
        bits.unsigned()
        bits.flag()
    bits.fixed(20)
    return True
