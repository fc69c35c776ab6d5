"""NAL units: how they are delimited, and what a slice says of itself."""

import struct
from collections.abc import Iterable
from enum import IntEnum

from media.h264.bits import BitReader, H264Error, unescape

_START = b"\0\0\1"
IDR = 5
WITH_SLICE_HEADER = (1, 2, IDR)
# Three codes of at most 63 bits, and an escaped byte in three.
_SLICE_HEADER_BYTES = 36


class SliceType(IntEnum):
    """slice_type modulo 5: table 7-6."""

    P = 0
    B = 1
    I = 2  # noqa: E741 - its name in the standard
    SP = 3
    SI = 4


def nal_type(nal: bytes) -> int:
    """nal_unit_type (table 7-1). H264Error for an empty unit or a forbidden_zero_bit of one."""
    if not nal or nal[0] & 0x80:
        raise H264Error("not a NAL unit: it is empty or its forbidden bit is set")
    return nal[0] & 0x1F


def split_annex_b(data: bytes) -> list[bytes]:
    """The NAL units of a byte stream (annex B), without start codes and trailing zeros.

    H264Error when anything but zeros stands before the first start code.
    """
    before, *units = bytes(data).split(_START)
    if before.strip(b"\0"):
        raise H264Error("no start code where the byte stream begins")
    return [nal for unit in units if (nal := unit.rstrip(b"\0"))]


def annex_b(nals: Iterable[bytes]) -> bytes:
    """A byte stream with a start code of four bytes before each unit."""
    return b"".join(b"\0\0\0\1" + nal for nal in nals)


def length_prefixed(nals: Iterable[bytes]) -> bytes:
    """A sample as in ISO/IEC 14496-15: the length in four bytes before each unit."""
    return b"".join(struct.pack(">I", len(nal)) + nal for nal in nals)


def split_length_prefixed(data: bytes) -> list[bytes]:
    """The NAL units of a sample with lengths of four bytes; H264Error when they do not add up."""
    nals = []
    position, end = 0, len(data)
    while position < end:
        start = position + 4
        position = start + int.from_bytes(data[position:start], "big")
        if start >= position or position > end:
            raise H264Error("the lengths of the NAL units do not add up to the sample")
        nals.append(bytes(data[start:position]))
    return nals


def slice_type(nal: bytes) -> SliceType:
    """What kind of slice this is (§7.3.3). H264Error for units without a slice header."""
    return _slice_header(nal)[0]


def parameter_set_id(nal: bytes) -> int:
    """pic_parameter_set_id of a slice (§7.3.3). H264Error for units without a slice header."""
    return _slice_header(nal)[1].unsigned()


def _slice_header(nal: bytes) -> tuple[SliceType, BitReader]:
    if nal_type(nal) not in WITH_SLICE_HEADER:
        raise H264Error(f"a NAL unit of type {nal_type(nal)} has no slice header")
    reader = BitReader(unescape(nal[1 : 1 + _SLICE_HEADER_BYTES]))
    reader.unsigned()
    kind = reader.unsigned()
    if kind > 9:
        raise H264Error(f"slice_type {kind} does not exist")
    return SliceType(kind % 5), reader


def is_b_slice(nal: bytes) -> bool:
    """Whether this is a slice that may be predicted from pictures shown after it."""
    return nal_type(nal) in WITH_SLICE_HEADER and slice_type(nal) is SliceType.B


def is_key(nals: Iterable[bytes]) -> bool:
    """Whether a decoder can start here: an IDR slice is among the units."""
    return any(nal_type(nal) == IDR for nal in nals)


def slices(nals: Iterable[bytes]) -> list[bytes]:
    """The slices (types 1 to 5), without parameter sets, delimiters, SEI and filler."""
    return [nal for nal in nals if 1 <= nal_type(nal) <= IDR]
