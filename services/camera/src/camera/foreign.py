"""H.264 as foreign containers hold it: Annex B, or with lengths and an avcC record."""

from typing import Protocol

from media.h264 import H264Error, split_annex_b
from media.nut import Stream

_TAGS = frozenset((b"avc1", b"avc3", b"H264", b"h264", b"X264", b"x264", b"DAVC"))
"""Codec tags under which containers carry H.264: ISO/IEC 14496-15, and the RIFF tags of AVI."""


def is_h264(stream: Stream) -> bool:
    """Whether the stream is H.264 at all."""
    return stream.fourcc in _TAGS


_INTRA = frozenset((b"MJPG", b"mjpg", b"jpeg"))


def intra_only(stream: Stream) -> bool:
    """Whether each picture stands for itself: JPEG, under the tags of AVI and QuickTime."""
    return stream.fourcc in _INTRA


class Coded(Protocol):
    """A packet: its data, and whether a decoder can start with it."""

    @property
    def key(self) -> bool: ...
    @property
    def data(self) -> bytes: ...


def nal_units(stream: Stream, packet: Coded) -> list[bytes]:
    """The NAL units of a packet; before a key frame those of the stream's header.

    Raises H264Error when the packet is damaged.
    """
    header = stream.extradata
    if header[:1] != b"\1":
        nals, sets = split_annex_b(packet.data), split_annex_b(header)
    else:
        nals, sets = _with_lengths(packet.data, (header[4] & 3) + 1), parameter_sets(header)
    return sets + nals if packet.key else nals


def _with_lengths(data: bytes, size: int) -> list[bytes]:
    nals = []
    position = 0
    while position + size <= len(data):
        start = position + size
        position = start + int.from_bytes(data[position:start], "big")
        nals.append(data[start:position])
    if position != len(data):
        raise H264Error("the lengths of the NAL units do not add up to the packet")
    return [nal for nal in nals if nal]


def parameter_sets(record: bytes) -> list[bytes]:
    """The parameter sets of an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3)."""
    sets = []
    position = 5
    for mask in (0x1F, 0xFF):
        count = record[position] & mask if position < len(record) else 0
        position += 1
        for _ in range(count):
            start = position + 2
            position = start + int.from_bytes(record[position:start], "big")
            sets.append(record[start:position])
    return [found for found in sets if found]
