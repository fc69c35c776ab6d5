"""Bits of a raw byte sequence payload: H.264 §7.2 and §9.1, emulation prevention of §7.4.1."""

import re

_EMULATION = re.compile(rb"\x00\x00(?=[\x00-\x03])")
_LONGEST_PREFIX = 32


class H264Error(ValueError):
    """The bytes are not the H.264 they should be."""


def unescape(payload: bytes) -> bytes:
    """Take out the emulation prevention bytes."""
    return payload.replace(b"\0\0\3", b"\0\0")


def escape(payload: bytes) -> bytes:
    """Put emulation prevention bytes wherever a start code or a reserved code would appear."""
    return _EMULATION.sub(b"\0\0\3", payload)


class BitReader:
    """Reads from the most significant bit of `payload` on; H264Error at its end."""

    __slots__ = ("_bits", "length", "position")

    def __init__(self, payload: bytes) -> None:
        self._bits = int.from_bytes(payload, "big")
        self.length = 8 * len(payload)
        self.position = 0

    def fixed(self, count: int) -> int:
        """u(n)."""
        end = self.position + count
        if end > self.length:
            raise H264Error("the data ends inside a field")
        self.position = end
        return self._bits >> (self.length - end) & ((1 << count) - 1)

    def flag(self) -> bool:
        """u(1)."""
        return bool(self.fixed(1))

    def unsigned(self) -> int:
        """ue(v)."""
        zeros = 0
        while not self.fixed(1):
            zeros += 1
            if zeros > _LONGEST_PREFIX:
                raise H264Error("an Exp-Golomb code has more than 32 leading zeros")
        return (1 << zeros) - 1 + self.fixed(zeros)

    def signed(self) -> int:
        """se(v)."""
        code = self.unsigned()
        return (code + 1) // 2 if code & 1 else -(code // 2)


class BitWriter:
    """Collects bits, most significant first."""

    __slots__ = ("_bits", "_length")

    def __init__(self) -> None:
        self._bits = 0
        self._length = 0

    def fixed(self, value: int, count: int) -> None:
        """u(n)."""
        self._bits = self._bits << count | value
        self._length += count

    def unsigned(self, value: int) -> None:
        """ue(v)."""
        self.fixed(value + 1, 2 * (value + 1).bit_length() - 1)

    def payload(self) -> bytes:
        """What was written, closed with rbsp_trailing_bits (§7.3.2.11)."""
        padding = -(self._length + 1) % 8
        closed = (self._bits << 1 | 1) << padding
        return closed.to_bytes((self._length + 1 + padding) // 8, "big")
