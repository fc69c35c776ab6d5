"""How a picture is to be turned for display: the SEI message of H.264 §D.1.27."""

from dataclasses import dataclass

from media.h264.bits import BitReader, H264Error, unescape

_SEI, _DISPLAY_ORIENTATION = 6, 47
_TURN = 1 << 16


@dataclass(frozen=True, slots=True)
class Orientation:
    """First mirrored (hor_flip, ver_flip), then turned: `clockwise` in degrees, 0 to below 360."""

    hor_flip: bool = False
    ver_flip: bool = False
    clockwise: float = 0.0


UPRIGHT = Orientation()


def display_orientation(nal: bytes) -> Orientation | None:
    """What a unit says of it; None when it says nothing. H264Error for damaged SEI."""
    if not nal or nal[0] & 0x1F != _SEI:
        return None
    data = unescape(nal[1:])
    position = 0
    while position + 2 <= len(data) and data[position:] != b"\x80":
        kind, position = _coded(data, position)
        size, position = _coded(data, position)
        if kind == _DISPLAY_ORIENTATION:
            return _read(BitReader(data[position : position + size]))
        position += size
    return None


def _coded(data: bytes, position: int) -> tuple[int, int]:
    """Type or size of a message: each byte of 255 adds to the one behind it (§7.3.2.3.1)."""
    value = 0
    while position < len(data):
        value += data[position]
        position += 1
        if data[position - 1] != 0xFF:
            return value, position
    raise H264Error("the data ends inside an SEI message")


def _read(bits: BitReader) -> Orientation:
    if bits.flag():
        return UPRIGHT
    hor_flip, ver_flip = bits.flag(), bits.flag()
    anticlockwise = bits.fixed(16) * 360 / _TURN
    return Orientation(hor_flip, ver_flip, -anticlockwise % 360)
