"""The byte stream that rpicam-vid writes with `--output` and `--save-pts` into one pipe.

It writes and flushes what the encoder gave for a frame, then a line with the time of that frame. In
one pipe both stay in order: what stands between two lines belongs to the second of them, be it a
picture, parameter sets without one, or nothing. With a pipe for each, nobody can tell which frame
was lost as soon as two of them wait to be read.
"""

import re
from typing import NamedTuple

from media.h264 import H264Error, split_annex_b

_HEADER = b"# timecode format v2\n"
_LINE = re.compile(rb"(-?)(\d{1,13})\.-?(\d{3})\n(?=\Z|\0\0\0?\1|-?\d{1,13}\.-?\d{3}\n)")
"""Milliseconds with three places. What follows it tells it from coded data that looks like it."""
_LONGEST_LINE = 20
_LIMIT = 8 << 20
_PAUSE = 60.0
"""Seconds between two frames at most, unless the clock was set."""
_TAKEN = 2
"""Digits before a line that may belong to the picture: one is common, three in a row are not."""


class Timed(NamedTuple):
    """What the encoder gave for one frame: its NAL units, and its time in s from the first."""

    nals: list[bytes]
    moment: float


class TimedStream:
    """Takes the stream apart; a frame is complete as soon as its line has come.

    interval: seconds between two frames, about.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._buffer = bytearray()
        self._last = -interval

    def feed(self, data: bytes) -> list[Timed]:
        """The frames that are complete now. H264Error when what comes is no such stream."""
        searched = max(0, len(self._buffer) - _LONGEST_LINE)
        self._buffer += data
        frames = []
        begin = 0
        for found in _LINE.finditer(self._buffer, searched):
            start = self._start(found, begin)
            coded = bytes(self._buffer[begin:start]).removeprefix(_HEADER).removesuffix(_HEADER)
            self._last = _moment(self._buffer[start : found.end(2)], found)
            frames.append(Timed(split_annex_b(coded), self._last))
            begin = found.end()
        del self._buffer[:begin]
        if len(self._buffer) > _LIMIT:
            raise H264Error(f"more than {_LIMIT} bytes without the time of a frame")
        return frames

    def _start(self, found: re.Match[bytes], begin: int) -> int:
        """Where the line begins: the last byte of a picture may be a digit or a minus too.

        The least time that lies behind the one before is meant, which errs only when the camera
        stands still in its first second. If there is none, the clock was set.
        """
        if found.start() == begin:
            return begin
        least = self._last + self._interval / 2
        last = min(found.start(2) + _TAKEN, found.end(2) - 1)
        for start in range(last, found.start(2) - 1, -1):
            whole = self._buffer[start : found.end(2)]
            padded = len(whole) > 1 and whole.startswith(b"0")
            if not padded and least < _moment(whole, found) < self._last + _PAUSE:
                return start
        return found.start()


def _moment(whole: bytes | bytearray, found: re.Match[bytes]) -> float:
    rest = int(found[3]) / 1e6
    return int(whole) / 1e3 + (-rest if whole.startswith(b"-") else rest)
