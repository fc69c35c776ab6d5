"""Video usability information of a sequence parameter set: H.264 annex E."""

from dataclasses import dataclass

from media.h264.bits import BitReader, H264Error

_EXTENDED_SAR = 255


@dataclass(frozen=True, slots=True)
class Vui:
    """What matters here of it, and where it stands (in bits of the payload).

    reorder_at and reorder_frames are None without bitstream_restriction.
    """

    frame_rate: float | None
    restriction_at: int
    reorder_at: int | None = None
    reorder_frames: int | None = None
    buffering: int = 0


def read_vui(bits: BitReader) -> Vui:
    """vui_parameters (§E.1.1), to its end."""
    _skip_picture(bits)
    frame_rate = _read_frame_rate(bits)
    described = [_skip_hrd(bits), _skip_hrd(bits)]
    if any(described):
        bits.flag()
    bits.flag()
    restriction_at = bits.position
    if not bits.flag():
        return Vui(frame_rate, restriction_at)
    bits.flag()
    for _ in range(4):
        bits.unsigned()
    reorder_at = bits.position
    return Vui(frame_rate, restriction_at, reorder_at, bits.unsigned(), bits.unsigned())


def _skip_picture(bits: BitReader) -> None:
    """Aspect ratio, overscan, signal type and chroma location."""
    if bits.flag() and bits.fixed(8) == _EXTENDED_SAR:
        bits.fixed(32)
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
