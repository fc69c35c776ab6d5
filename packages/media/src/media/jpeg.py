"""What a JPEG says of its picture before it is decoded: ITU-T T.81, annex B."""

from dataclasses import dataclass

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers SOF0 to SOF15, which give the size (table B.1)."""
_APP0 = 0xE0
_STANDALONE = frozenset((0x01, *range(0xD0, 0xD8)))
_SCAN, _END = 0xDA, 0xD9


class JpegError(ValueError):
    """The bytes are not the JPEG they should be."""


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """width, height: pixels of what is coded. interlaced: that is one field, the other follows."""

    width: int
    height: int
    interlaced: bool = False

    @classmethod
    def parse(cls, data: bytes) -> "JpegHeader":
        """Read up to the frame header; JpegError when there is none.

        Fields are marked as AVI does it (OpenDML §3.6): APP0 "AVI1" with a polarity of 1 or 2.
        """
        if data[:2] != b"\xff\xd8":
            raise JpegError("a JPEG begins with SOI")
        interlaced = False
        position = 2
        while position + 4 <= len(data) and data[position] == 0xFF:
            marker = data[position + 1]
            if marker in _STANDALONE or marker == 0xFF:
                position += 1 if marker == 0xFF else 2
                continue
            if marker in (_SCAN, _END):
                break
            body = data[position + 4 : position + 13]
            if marker == _APP0 and body[:4] == b"AVI1":
                interlaced = body[4:5] in (b"\1", b"\2")
            if marker in _FRAMES and len(body) >= 5:
                height, width = (int.from_bytes(body[n : n + 2], "big") for n in (1, 3))
                return cls(width, height, interlaced)
            position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        raise JpegError("no frame header stands before the picture")
