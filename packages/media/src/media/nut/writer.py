"""One video stream as NUT, for a decoder that shall get our times and not a container's."""

import struct
from dataclasses import replace
from fractions import Fraction

from media.nut import syntax
from media.nut.cursor import crc32
from media.nut.syntax import Stream

_FILE_ID = b"nut/multimedia container\0"
_MAIN = bytes.fromhex("4e4d7a561f5f04ad")
_STREAM = bytes.fromhex("4e5311405bf2f9db")
_SYNCPOINT = bytes.fromhex("4e4be4adeeca4569")
_VERSION = 3
_MAX_DISTANCE = 65_536
_LARGEST_UNCHECKED = 4096
_PTS_SHIFT = 7
_FLAGS = syntax.CODED_PTS | syntax.SIZE_MSB | syntax.CHECKSUM
_DELTA_CODE, _KEY_CODE = 1, 2


class NutWriter:
    """Writes the header, and then each packet complete in itself: a syncpoint stands before it.

    stream: what is written, but for its time base, which becomes `time_base` (seconds a tick).
    """

    def __init__(self, stream: Stream, time_base: Fraction) -> None:
        self._stream = replace(stream, time_base=time_base)

    def header(self) -> bytes:
        """What stands before the first packet."""
        main = _packet(_MAIN, _main_header(self._stream.time_base))
        return _FILE_ID + main + _packet(_STREAM, _stream_header(self._stream))

    def packet(self, pts: int, key: bool, data: bytes) -> bytes:
        """One frame (pts: ticks from zero on); with one stream alone no time may be negative."""
        frame = bytes((_KEY_CODE if key else _DELTA_CODE,))
        frame += _number(pts + (1 << _PTS_SHIFT)) + _number(len(data))
        return _packet(_SYNCPOINT, _number(pts) + _number(0)) + frame + _checksum(frame) + data


def _main_header(base: Fraction) -> bytes:
    numbers = (_VERSION, 1, _MAX_DISTANCE, 1, base.numerator, base.denominator)
    # flags, count of fields; pts delta, size multiplier, stream, size, reserved, count of codes.
    invalid = (syntax.INVALID, 6, 0, 1, 0, 0, 0)
    codes: tuple[int, ...] = (*invalid, 1, _FLAGS, 6, 0, 1, 0, 0, 0, 1)
    codes += (_FLAGS | syntax.KEY, 6, 0, 1, 0, 0, 0, 1)
    # Behind the three: all others, but for the letter N, which no table describes.
    codes += (*invalid, 256 - 3 - 1)
    return b"".join(map(_number, (*numbers, *codes, 0)))


def _stream_header(stream: Stream) -> bytes:
    """Stream 0 of class 0 (video), without a fixed rate."""
    head = _number(0) + _number(0) + _bytes(stream.fourcc)
    numbers = (0, _PTS_SHIFT, 1, stream.decode_delay, 0)
    head += b"".join(map(_number, numbers)) + _bytes(stream.extradata)
    return head + b"".join(map(_number, (stream.width, stream.height, 0, 0, 0)))


def _packet(code: bytes, payload: bytes) -> bytes:
    length = _number(len(payload) + 4)
    head = code + length
    if len(payload) + 4 > _LARGEST_UNCHECKED:
        head += _checksum(head)
    return head + payload + _checksum(payload)


def _checksum(data: bytes) -> bytes:
    return struct.pack(">I", crc32(data))


def _number(value: int) -> bytes:
    """`v`: 7 bits a byte, the highest bit set in all but the last."""
    found = [value & 0x7F]
    while value := value >> 7:
        found.append(value & 0x7F | 0x80)
    return bytes(reversed(found))


def _bytes(value: bytes) -> bytes:
    return _number(len(value)) + value
