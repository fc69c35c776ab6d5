"""Numbers, strings and checksums as NUT encodes them."""

import zlib

_LONGEST_NUMBER = 10
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class NutError(ValueError):
    """The bytes are not NUT, are damaged, or use what this reader refuses."""


class TruncatedError(NutError):
    """The bytes end inside a value: more may come."""


def crc32(data: bytes | bytearray) -> int:
    """The checksum of NUT: polynomial 0x04C11DB7, most significant bit first, from zero.

    zlib computes the mirror image with inverted start and end: bits are turned round both ways,
    and the inversions undone, because a loop over bytes in Python takes fifty times as long.
    """
    mirrored = zlib.crc32(data.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(mirrored.to_bytes(4, "little").translate(_REVERSED), "big")


class Cursor:
    """Reads values one after another from data[position:end]."""

    __slots__ = ("data", "end", "position")

    def __init__(self, data: bytes | bytearray, position: int, end: int) -> None:
        self.data = data
        self.position = position
        self.end = end

    def number(self) -> int:
        """`v`: an unsigned number of 7 bits a byte, at most 64 bits."""
        value = 0
        position, end = self.position, self.end
        for index in range(position, min(end, position + _LONGEST_NUMBER)):
            byte = self.data[index]
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                self.position = index + 1
                return value
        if end - position >= _LONGEST_NUMBER:
            raise NutError("a number has more than 64 bits")
        raise TruncatedError("the data ends inside a number")

    def signed(self) -> int:
        """`s`: 0, 1, -1, 2, -2 … as 0, 1, 2, 3, 4 …"""
        value = self.number() + 1
        return -(value >> 1) if value & 1 else value >> 1

    def string(self) -> bytes:
        """`vb`: a length and as many bytes."""
        return self.take(self.number())

    def checksum(self) -> int:
        """`u(32)`."""
        return int.from_bytes(self.take(4), "big")

    def take(self, count: int) -> bytes:
        """The next bytes as they are."""
        start, stop = self.position, self.position + count
        if stop > self.end:
            raise TruncatedError("the data ends inside a string")
        self.position = stop
        return bytes(self.data[start:stop])


def verify(cursor: Cursor, start: int, what: str) -> None:
    """Read a checksum over data[start:position]; NutError when it is wrong."""
    covered = bytes(cursor.data[start : cursor.position])
    if cursor.checksum() != crc32(covered):
        raise NutError(f"the checksum of {what} is wrong")
