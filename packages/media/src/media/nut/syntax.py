"""The headers of a NUT stream: what its frame codes, its streams and its syncpoints mean."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from media.nut.cursor import Cursor, NutError

KEY, EOR, CODED_PTS, STREAM_ID = 1, 2, 8, 16
SIZE_MSB, CHECKSUM, RESERVED, SM_DATA = 32, 64, 128, 256
HEADER_IDX, MATCH_TIME, CODED, INVALID = 1024, 2048, 4096, 8192

_MAX_STREAMS = 250
_MAX_TIME_BASES = 256
_MAX_ELISION = 1024


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream as its header describes it.

    fourcc: the codec tag (2 or 4 bytes, as in AVI). time_base: seconds a tick. extradata: for
    H.264 the parameter sets in Annex B form, for Opus the identification header of RFC 7845.
    decode_delay: by how many frames the order of coding may differ from that of showing.
    width and height are 0 for audio, sample_rate (Hz) and channels are 0 for video.
    """

    kind: Literal["video", "audio"]
    fourcc: bytes
    time_base: Fraction
    extradata: bytes
    msb_pts_shift: int = 0
    width: int = 0
    height: int = 0
    sample_rate: int = 0
    channels: int = 0
    decode_delay: int = 0


@dataclass(frozen=True, slots=True)
class FrameCode:
    """What the first byte of a frame stands for, before the flags it may carry itself."""

    flags: int
    stream: int = 0
    size_mul: int = 1
    size_lsb: int = 0
    pts_delta: int = 0
    reserved: int = 0
    header_idx: int = 0


@dataclass(frozen=True, slots=True)
class MainHeader:
    """The tables that all streams share. elision[0] is empty, as the specification fixes it."""

    stream_count: int
    max_distance: int
    time_bases: tuple[Fraction, ...]
    codes: tuple[FrameCode, ...]
    elision: tuple[bytes, ...]


def read_main_header(cursor: Cursor) -> MainHeader:
    """main_header, of version 3 (frozen) or 4 (side data, streams without syncpoints)."""
    version = cursor.number()
    if version not in (3, 4):
        raise NutError(f"NUT version {version} is not 3 or 4")
    if version > 3:
        cursor.number()
    streams = cursor.number()
    if not 0 < streams <= _MAX_STREAMS:
        raise NutError(f"the main header announces {streams} streams")
    max_distance = min(cursor.number(), 65536)
    bases = _time_bases(cursor)
    codes = _frame_codes(cursor)
    return MainHeader(streams, max_distance, bases, codes, _elision_headers(cursor))


def _time_bases(cursor: Cursor) -> tuple[Fraction, ...]:
    count = cursor.number()
    if not 0 < count <= _MAX_TIME_BASES:
        raise NutError(f"the main header announces {count} time bases")
    bases = []
    for _ in range(count):
        numerator, denominator = cursor.number(), cursor.number()
        if not (0 < numerator < 1 << 31 and 0 < denominator < 1 << 31):
            raise NutError(f"{numerator}/{denominator} is not a time base")
        bases.append(Fraction(numerator, denominator))
    return tuple(bases)


def _frame_codes(cursor: Cursor) -> tuple[FrameCode, ...]:
    codes: list[FrameCode] = []
    # pts delta, size multiplier, stream, size, reserved, count, match time, elision header: a
    # field that is not written keeps its value, but for size, reserved and count.
    fields = [0, 1, 0, 0, 0, 0, 0, 0]
    while len(codes) < 256:
        flags, written = cursor.number(), cursor.number()
        fields[3] = fields[4] = 0
        for index in range(written):
            value = cursor.signed() if index in (0, 6) else cursor.number()
            if index < len(fields):
                fields[index] = value
        count = fields[5] if written > 5 else fields[1] - fields[3]
        _append_codes(codes, flags, fields, count)
    return tuple(codes)


def _append_codes(codes: list[FrameCode], flags: int, fields: list[int], count: int) -> None:
    pts, mul, stream, size, reserved, _, _, header = fields
    for step in range(min(count, 256)):
        if len(codes) == ord("N"):
            codes.append(FrameCode(INVALID))
        if len(codes) == 256:
            return
        codes.append(FrameCode(flags, stream, mul, size + step, pts, reserved, header))


def _elision_headers(cursor: Cursor) -> tuple[bytes, ...]:
    headers = [b""]
    if cursor.position < cursor.end:
        for _ in range(cursor.number()):
            headers.append(cursor.string())
            if not headers[-1] or sum(map(len, headers)) > _MAX_ELISION:
                raise NutError("the elision headers are empty or too long")
    return tuple(headers)


def read_stream_header(cursor: Cursor, main: MainHeader) -> tuple[int, Stream]:
    """stream_header: the number of the stream, and the stream."""
    number, kind, fourcc = cursor.number(), cursor.number(), cursor.string()
    base, shift, _distance, delay, _flags = (cursor.number() for _ in range(5))
    extradata = cursor.string()
    if number >= main.stream_count or base >= len(main.time_bases) or shift > 15:
        raise NutError(f"the header of stream {number} contradicts the main header")
    time_base = main.time_bases[base]
    if kind == 0:
        width, height = cursor.number(), cursor.number()
        return number, Stream(
            *("video", fourcc, time_base, extradata, shift, width, height), decode_delay=delay
        )
    if kind != 1:
        raise NutError(f"stream {number} is neither video nor audio (class {kind})")
    rate, divisor, channels = cursor.number(), cursor.number(), cursor.number()
    if not rate or not divisor:
        raise NutError(f"stream {number} has no sample rate")
    return number, Stream(
        "audio", fourcc, time_base, extradata, shift, sample_rate=rate // divisor, channels=channels
    )


def read_syncpoint(cursor: Cursor, main: MainHeader) -> Fraction:
    """The time (seconds) that a syncpoint gives to all streams; what else it holds is for files."""
    value, base = divmod(cursor.number(), len(main.time_bases))
    return value * main.time_bases[base]


def skip_side_data(cursor: Cursor) -> None:
    """Step over the side data and the metadata that stand before the data of a frame (FLAG_SM)."""
    for _ in range(2):
        for _ in range(cursor.number()):
            cursor.string()
            kind = cursor.signed()
            if kind == -2:
                cursor.string()
            if kind in (-1, -2):
                cursor.string()
            elif kind < -2:
                cursor.number()
