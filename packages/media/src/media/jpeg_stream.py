"""JPEGs out of a stream of them, by their own syntax (ITU-T T.81, annex B).

Multipart boundaries and lengths are not looked at: in cameras they are missing, quoted, doubled or
wrong, while a JPEG says itself where it ends. So each is there with its last byte.
"""

import re

LARGEST = 16 << 20
"""Bytes of a picture, and of anything that stands between two."""

_START = b"\xff\xd8\xff"
_STOP = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""The next marker within a scan: stuffed zeros, restarts and fill bytes are part of it."""
_SCAN, _BEGIN, _END = 0xDA, 0xD8, 0xD9


class JpegStreamError(ValueError):
    """What comes is no stream of JPEGs."""


class JpegStream:
    """Takes bytes as they come and gives whole pictures; damaged and cut-off ones are left out."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._position = 0
        self._in_scan = False
        self._skipped = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The pictures that are whole now; JpegStreamError when there is none in LARGEST bytes."""
        self._data += data
        found = []
        while self._begins() and (end := self._end()):
            if end > 0:
                found.append(bytes(self._data[:end]))
            self._restart(abs(end))
            self._skipped = 0
        if max(self._skipped, len(self._data)) > LARGEST:
            raise JpegStreamError("what it sends is no Motion JPEG")
        return found

    def _begins(self) -> bool:
        """Let go of what stands before a picture; whether one begins."""
        if self._position:
            return True
        begin = self._data.find(_START)
        gone = begin if begin >= 0 else max(0, len(self._data) - 2)
        self._skipped += gone
        del self._data[:gone]
        self._position = 2 if begin >= 0 else 0
        return begin >= 0

    def _restart(self, behind: int) -> None:
        del self._data[:behind]
        self._position, self._in_scan = 0, False

    def _end(self) -> int:
        """Where the picture ends; negative: where one ends that is cut off; 0: not yet there."""
        data = self._data
        while True:
            if self._in_scan:
                found = _STOP.search(data, self._position)
                if not found:
                    # A marker may be cut in two.
                    self._position = max(self._position, len(data) - 1)
                    return 0
                self._position, self._in_scan = found.start(), False
            if self._position + 4 > len(data) and data[self._position + 1 :][:1] != b"\xd9":
                return 0
            if data[self._position] != 0xFF:
                return -self._position
            marker = data[self._position + 1]
            if marker == _END:
                return self._position + 2
            if marker == _BEGIN:
                return -self._position
            if marker == 0xFF:
                self._position += 1
                continue
            length = int.from_bytes(data[self._position + 2 : self._position + 4], "big")
            if length < 2:
                return -self._position - 2
            self._position += 2 + length
            self._in_scan = marker == _SCAN
