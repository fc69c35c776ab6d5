"""The header of a NUT frame."""

from collections.abc import Mapping
from dataclasses import dataclass

from media.nut import syntax
from media.nut.cursor import Cursor, NutError, verify
from media.nut.syntax import MainHeader, Stream

_LARGEST_ELIDED = 4096
_MOST_RESERVED = 256


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame before its data: pts in ticks, how many bytes will come, and which were left out."""

    flags: int
    stream: int
    pts: int
    stored: int
    elided: bytes


def read_frame(
    cursor: Cursor, main: MainHeader, streams: Mapping[int, Stream], last_pts: Mapping[int, int]
) -> Frame:
    """frame, up to its data; TruncatedError while it is not complete, NutError when it is wrong."""
    start = cursor.position
    code, flags = _frame_code(cursor, main)
    number = cursor.number() if flags & syntax.STREAM_ID else code.stream
    if number not in streams:
        raise NutError(f"a frame of stream {number}, which is unknown")
    last = last_pts.get(number, 0)
    coded = flags & syntax.CODED_PTS
    pts = _coded_pts(cursor, streams[number], last) if coded else last + code.pts_delta
    size = code.size_lsb
    if flags & syntax.SIZE_MSB:
        size += code.size_mul * cursor.number()
    if flags & syntax.MATCH_TIME:
        cursor.signed()
    header = cursor.number() if flags & syntax.HEADER_IDX else code.header_idx
    _skip_reserved(cursor, cursor.number() if flags & syntax.RESERVED else code.reserved)
    if flags & syntax.CHECKSUM:
        verify(cursor, start, "a frame header")
    elif size > 2 * main.max_distance:
        raise NutError(f"a frame of {size} bytes without a checksum")
    elided = _elided(main, header, size)
    return Frame(flags, number, pts, size - len(elided), elided)


def _frame_code(cursor: Cursor, main: MainHeader) -> tuple[syntax.FrameCode, int]:
    number = cursor.take(1)[0]
    code = main.codes[number]
    flags = code.flags
    if flags & syntax.CODED and not flags & syntax.INVALID:
        flags ^= cursor.number()
    if flags & syntax.INVALID:
        raise NutError(f"{number:#04x} is not a frame code")
    return code, flags


def _coded_pts(cursor: Cursor, stream: Stream, last: int) -> int:
    """Either the whole time, or its lowest bits, which mean the time nearest to the last one."""
    value = cursor.number()
    span = 1 << stream.msb_pts_shift
    if value >= span:
        return value - span
    lowest = last - (span - 1) // 2
    return (value - lowest & span - 1) + lowest


def _skip_reserved(cursor: Cursor, count: int) -> None:
    if count >= _MOST_RESERVED:
        raise NutError(f"{count} reserved fields")
    for _ in range(count):
        cursor.number()


def _elided(main: MainHeader, index: int, size: int) -> bytes:
    if index >= len(main.elision):
        raise NutError(f"elision header {index} is unknown")
    return main.elision[index] if size <= _LARGEST_ELIDED else b""
