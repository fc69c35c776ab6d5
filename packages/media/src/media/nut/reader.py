"""From the bytes of a pipe to packets, each as soon as its last byte is there."""

from dataclasses import dataclass

from media.nut import syntax
from media.nut.cursor import Cursor, NutError, TruncatedError, crc32, verify
from media.nut.frame import Frame, read_frame
from media.nut.syntax import MainHeader, Stream

_FILE_ID = b"nut/multimedia container\0"
_MAIN = bytes.fromhex("4e4d7a561f5f04ad")
_STREAM = bytes.fromhex("4e5311405bf2f9db")
_SYNCPOINT = bytes.fromhex("4e4be4adeeca4569")
_LARGEST_UNCHECKED = 4096


@dataclass(frozen=True, slots=True)
class Packet:
    """One frame: stream number, presentation time (seconds), whether it is a key frame, data."""

    stream: int
    pts: float
    key: bool
    data: bytes


class NutReader:
    """Demuxes one NUT stream that is fed in pieces of any size.

    `streams` holds the streams in the order of their numbers; it is complete before the first
    packet. Packets larger than `max_packet` bytes are refused, which bounds the memory. After a
    NutError the reader is of no more use.
    """

    def __init__(self, max_packet: int = 8 << 20) -> None:
        self._max_packet = max_packet
        self._buffer = bytearray()
        self._position = 0
        self._need = 1
        self._skip = 0
        self._offset = 0
        self._identified = False
        self._main: MainHeader | None = None
        self._by_number: dict[int, Stream] = {}
        self._last_pts: dict[int, int] = {}
        self._frame: Frame | None = None

    @property
    def streams(self) -> list[Stream]:
        """The streams that have been announced so far."""
        return [stream for _, stream in sorted(self._by_number.items())]

    def feed(self, data: bytes | memoryview) -> list[Packet]:
        """Take the next bytes and return the packets that they complete.

        Raises NutError when the bytes are not NUT or are damaged.
        """
        self._buffer += data
        packets: list[Packet] = []
        try:
            while self._left() >= self._need:
                packet = self._step()
                if packet:
                    packets.append(packet)
        except TruncatedError:
            # The header of a frame or packet is a few bytes: it is read again when more have come.
            self._need = self._left() + 1
        self._drop()
        return packets

    def _left(self) -> int:
        return len(self._buffer) - self._position

    def _drop(self) -> None:
        del self._buffer[: self._position]
        self._offset += self._position
        self._position = 0

    def _step(self) -> Packet | None:
        self._need = 1
        if self._skip:
            self._advance(min(self._skip, self._left()), skipped=True)
        elif self._frame:
            return self._finish_frame(self._frame)
        elif not self._identified:
            self._identify()
        elif self._buffer[self._position] == ord("N"):
            self._read_header()
        else:
            self._begin_frame()
        return None

    def _advance(self, count: int, *, skipped: bool = False) -> None:
        self._position += count
        if skipped:
            self._skip -= count

    def _identify(self) -> None:
        start = bytes(self._buffer[: len(_FILE_ID)])
        if not _FILE_ID.startswith(start):
            raise NutError(f"not a NUT stream: it begins with {start!r}")
        if len(start) < len(_FILE_ID):
            raise TruncatedError("the file id is not complete")
        self._identified = True
        self._advance(len(start))

    def _cursor(self) -> Cursor:
        return Cursor(self._buffer, self._position, len(self._buffer))

    def _read_header(self) -> None:
        """packet_header: what is read here is taken whole, anything else is passed over."""
        cursor = self._cursor()
        code, length = cursor.take(8), cursor.number()
        if length > _LARGEST_UNCHECKED:
            verify(cursor, self._position, "a packet header")
        if length < 4:
            raise NutError(f"a packet of {length} bytes {self._where()}")
        if code not in (_MAIN, _STREAM, _SYNCPOINT):
            self._advance(cursor.position - self._position)
            self._skip = length
            return
        if length > self._max_packet:
            raise NutError(f"a header of {length} bytes {self._where()}")
        end = cursor.position + length
        if len(self._buffer) < end:
            self._need = end - self._position
            return
        self._read_whole(code, bytes(self._buffer[cursor.position : end]))
        self._advance(end - self._position)

    def _where(self) -> str:
        return f"at byte {self._offset + self._position}"

    def _read_whole(self, code: bytes, payload: bytes) -> None:
        if crc32(payload):  # a checksum behind its own data makes zero of the whole
            raise NutError(f"the checksum of a header is wrong {self._where()}")
        cursor = Cursor(payload, 0, len(payload) - 4)
        try:
            self._interpret(code, cursor)
        except TruncatedError as error:
            raise NutError(f"a header is too short {self._where()}") from error

    def _interpret(self, code: bytes, cursor: Cursor) -> None:
        if code == _MAIN:
            self._main = syntax.read_main_header(cursor)
        elif self._main is None:
            raise NutError("a header stands before the main header")
        elif code == _STREAM:
            number, stream = syntax.read_stream_header(cursor, self._main)
            self._by_number[number] = stream
        else:
            moment = syntax.read_syncpoint(cursor, self._main)
            for number, stream in self._by_number.items():
                self._last_pts[number] = int(moment / stream.time_base)

    def _begin_frame(self) -> None:
        main = self._main
        if main is None or len(self._by_number) < main.stream_count:
            raise NutError(f"a frame stands before the headers {self._where()}")
        cursor = self._cursor()
        try:
            frame = read_frame(cursor, main, self._by_number, self._last_pts)
        except TruncatedError:
            raise
        except NutError as error:
            raise NutError(f"{error} {self._where()}") from error
        if not 0 <= frame.stored <= self._max_packet:
            raise NutError(f"a frame of {frame.stored} bytes {self._where()}")
        self._frame = frame
        self._last_pts[frame.stream] = frame.pts
        self._advance(cursor.position - self._position)
        self._need = frame.stored

    def _finish_frame(self, frame: Frame) -> Packet | None:
        start, end = self._position, self._position + frame.stored
        if frame.flags & syntax.SM_DATA:
            start = self._after_side_data(start, end)
        with memoryview(self._buffer) as view:
            data = frame.elided + view[start:end] if frame.elided else bytes(view[start:end])
        self._frame = None
        self._advance(frame.stored)
        if frame.flags & syntax.EOR:
            return None
        base = self._by_number[frame.stream].time_base
        seconds = frame.pts * base.numerator / base.denominator
        return Packet(frame.stream, seconds, bool(frame.flags & syntax.KEY), data)

    def _after_side_data(self, start: int, end: int) -> int:
        cursor = Cursor(self._buffer, start, end)
        try:
            syntax.skip_side_data(cursor)
        except TruncatedError as error:
            raise NutError(f"side data is longer than its frame {self._where()}") from error
        return cursor.position
