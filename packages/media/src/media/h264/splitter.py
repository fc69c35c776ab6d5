"""Access units out of a byte stream, when somebody else says how many are complete.

In a byte stream an access unit ends where the next one begins, so whoever waits for that is a frame
late. rpicam-vid writes a line on another pipe behind each access unit: then it is complete.
"""

from collections.abc import Iterator

from media.h264.bits import H264Error
from media.h264.nal import WITH_SLICE_HEADER

_START = b"\0\0\1"
# §7.4.1.2.3: behind the slices of a picture these begin the next access unit.
_BEGINS_NEXT = frozenset((6, 7, 8, 9, 14, 15, 16, 17, 18))


class AnnexBSplitter:
    """Buffers a byte stream and gives complete access units away.

    Pictures may have several slices, in raster order: the one that begins with macroblock 0 begins
    a picture (arbitrary slice order, an option of baseline only, is not told apart).
    """

    def __init__(self, limit: int = 8 << 20) -> None:
        self._limit = limit
        self._buffer = bytearray()

    @property
    def pending(self) -> int:
        """Bytes that wait to be taken."""
        return len(self._buffer)

    def feed(self, data: bytes | memoryview) -> None:
        """Take the next bytes; H264Error when more than `limit` wait."""
        self._buffer += data
        if len(self._buffer) > self._limit:
            raise H264Error(f"more than {self._limit} bytes wait for the end of an access unit")

    def take(self, count: int) -> list[list[bytes]]:
        """The next `count` access units, each as its NAL units.

        All bytes that were written before the count became known must have been fed; what has come
        of the following unit stays. H264Error, and nothing is taken, when fewer units are here.
        """
        if count < 1:
            return []
        units, end = self._scan(count)
        if len(units) < count:
            raise H264Error(f"{count} access units should be here, and {len(units)} are")
        del self._buffer[:end]
        return units

    def _scan(self, count: int) -> tuple[list[list[bytes]], int]:
        units: list[list[bytes]] = []
        unit: list[bytes] = []
        has_slice = False
        end = 0
        for start, nal in self._nals():
            if has_slice and self._begins_unit(nal):
                units.append(unit)
                unit, has_slice, end = [], False, start
                if len(units) == count:
                    return units, end
            unit.append(nal)
            has_slice = has_slice or nal[0] & 0x1F in WITH_SLICE_HEADER
        if has_slice:
            units.append(unit)
            end = self._end_of_last()
        return units, end

    def _nals(self) -> Iterator[tuple[int, bytes]]:
        """Every unit that can be complete, with the position of its start code."""
        buffer = self._buffer
        start = buffer.find(_START)
        if bytes(buffer[: start if start >= 0 else None]).strip(b"\0"):
            raise H264Error("no start code where the byte stream begins")
        while start >= 0:
            following = buffer.find(_START, start + 3)
            stop = following if following >= 0 else self._end_of_last()
            nal = bytes(buffer[start + 3 : stop]).rstrip(b"\0")
            if nal:
                yield start, nal
            start = following

    def _end_of_last(self) -> int:
        """Where the last complete unit ends: zeros and a bare beginning belong to what follows."""
        end = len(self._buffer.rstrip(b"\0"))
        tail = self._buffer.rfind(_START, 0, end)
        if end - tail == 3 or (end - tail == 4 and self._buffer[end - 1] & 0x1F <= 9):
            return len(self._buffer[:tail].rstrip(b"\0"))
        return end

    @staticmethod
    def _begins_unit(nal: bytes) -> bool:
        kind = nal[0] & 0x1F
        if kind in WITH_SLICE_HEADER:
            # first_mb_in_slice = 0 is the one Exp-Golomb code that begins with a set bit.
            return nal[1] >= 0x80 if len(nal) > 1 else False
        return kind in _BEGINS_NEXT
