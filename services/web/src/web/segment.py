"""Segments and parts of HLS as they are kept: RFC 8216bis §3."""

from collections.abc import Sequence
from typing import NamedTuple


class Part(NamedTuple):
    """Some frames of a segment."""

    data: bytes
    duration: int
    """Ticks."""
    key: bool
    """Whether it begins with a key frame."""


class Segment:
    """The parts from one cut to the next.

    number: its media sequence number. session: of the encoder. start: tfdt of its first frame,
    capture: when that was taken (Unix s). turn: discontinuities before it. absent: ticks for which
    there was nothing (EXT-X-GAP); 0 of a real segment.
    """

    def __init__(
        self, number: int, session: str, start: int, capture: float, turn: int, absent: int = 0
    ) -> None:
        self.number = number
        self.session = session
        self.start = start
        self.capture = capture
        self.turn = turn
        self.absent = absent
        self.complete = absent > 0
        self.parts: list[Part] = []

    @property
    def duration(self) -> int:
        """Ticks."""
        return self.absent or sum(part.duration for part in self.parts)

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(len(part.data) for part in self.parts)

    @property
    def independent(self) -> bool:
        """Whether it can be decoded without the one before it."""
        return all(part.key for part in self.parts[:1])

    @property
    def name(self) -> str:
        """What its addresses begin with: no other content ever has this name."""
        return f"{self.session}.{self.start}"

    def file(self, part: int | None = None) -> str:
        """The name of one part, or of the whole."""
        return f"{self.name}.m4s" if part is None else f"{self.name}.{part}.m4s"

    def find(self, file: str) -> Sequence[bytes] | None:
        """The content of a file of this segment; None when there is none of that name."""
        if self.complete and self.parts and file == self.file():
            return [part.data for part in self.parts]
        number = file.removeprefix(f"{self.name}.").removesuffix(".m4s")
        if not number.isdecimal() or len(number) > 4 or int(number) >= len(self.parts):
            return None
        return [self.parts[int(number)].data]
