"""The last seconds of one track as segments and parts, for whoever asks by HLS."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from .segment import Part, Segment

SPARE = 2
"""Segments that can still be fetched when they are listed no more: RFC 8216bis §6.2.2."""
MAX_BYTES = 16 << 20
MAX_INITS = 4


class Rendition:
    """Keeps segments of `length` seconds for `window` seconds; memory is bounded by MAX_BYTES."""

    def __init__(self, length: float, window: float) -> None:
        self.inits: dict[str, bytes] = {}
        self.timescale = 1
        self.part_target = 0.0
        """Seconds that no part exceeds while the camera keeps its rate."""
        self.version = 0
        self.ended = False
        self._length = length
        self._window = window
        self._segments: deque[Segment] = deque()
        self._changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def last(self) -> Segment | None:
        """The segment that grows."""
        return self._segments[-1] if self._segments else None

    @property
    def playable(self) -> bool:
        """Whether there is a whole segment: hls.js takes a playlist without one for empty."""
        return any(segment.complete for segment in self._segments)

    @property
    def listed(self) -> list[Segment]:
        """What a playlist shows: the newest of the window, with something in it."""
        found: list[Segment] = []
        listed = 0.0
        for segment in reversed(self._segments):
            if found and listed >= self._window:
                break
            if segment.duration:
                found.append(segment)
                listed += segment.duration / self.timescale
        return found[::-1]

    def begin(self, init: bytes, session: str, timescale: int) -> None:
        """Take the header of a new session."""
        self.timescale = timescale
        self.inits[session] = init
        while len(self.inits) > MAX_INITS:
            del self.inits[next(iter(self.inits))]

    def open(self, segment: Segment) -> None:
        """Let a segment begin, and say what was absent between the last one and it."""
        if last := self.last:
            last.complete = True
            missing = range(last.number + 1, segment.number)
            if len(missing) * self._length > self._window:
                self._segments.clear()
            else:
                self._segments.extend(absent(last, segment, missing, self.timescale))
        self._segments.append(segment)
        self.changed()

    def add(self, part: Part) -> None:
        """Let the last segment grow."""
        if last := self.last:
            last.parts.append(part)
            self._trim()
            self.changed()

    def finish(self) -> None:
        """The last segment grows no more, though none has begun behind it."""
        if last := self.last:
            last.complete = True
            self.changed()

    def clear(self) -> None:
        """Forget everything: nobody watches any more."""
        self._segments.clear()
        self.changed()

    def changed(self) -> None:
        """Wake whoever waits for something new."""
        self.version += 1
        changed, self._changed = self._changed, asyncio.get_running_loop().create_future()
        changed.set_result(None)

    async def reach(self, ready: Callable[[], bool], seconds: float) -> bool:
        """Wait until it is so; whether it came to be in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not ready() and not self.ended:
                    await asyncio.shield(self._changed)
        return ready()

    def has(self, number: int, part: int | None) -> bool:
        """Whether a segment, or a part of it, is there, or anything behind it (§6.2.5.2)."""
        last = self.last
        # Nothing listed: a long silence has just ended, and the playlist is empty for a moment.
        if last is None or number > last.number or not self.listed:
            return False
        if number == last.number:
            return last.complete if part is None else part < len(last.parts)
        if number == last.number - 1 and part is not None and not last.parts:
            before = self._segments[-2] if len(self._segments) > 1 else None
            return before is None or part < len(before.parts)
        return True

    def find(self, name: str) -> Sequence[bytes] | None:
        """A header, a segment or a part by the name in its address."""
        session, _, rest = name.partition(".")
        if rest == "init.mp4":
            init = self.inits.get(session)
            return None if init is None else [init]
        for segment in self._segments:
            if name.startswith(f"{segment.name}."):
                return segment.find(name)
        return None

    @property
    def hint(self) -> str | None:
        """The name of the part that comes next; None when that is not to be foreseen."""
        last = self.last
        return last.file(len(last.parts)) if last and not last.complete else None

    def _trim(self) -> None:
        kept = sum(segment.duration for segment in self._segments) / self.timescale
        size = sum(segment.size for segment in self._segments)
        while len(self._segments) > 1:
            oldest = self._segments[0]
            kept -= oldest.duration / self.timescale
            if kept < self._window + SPARE * self._length and size <= MAX_BYTES:
                break
            size -= oldest.size
            self._segments.popleft()


def absent(last: Segment, following: Segment, missing: range, timescale: int) -> Iterable[Segment]:
    """Segments that stand for a time without frames, so that the numbers go on."""
    end = last.start + last.duration
    for index, number in enumerate(missing):
        lasts = max(1, (following.start - end) // len(missing))
        start = end + index * lasts
        capture = last.capture + (start - last.start) / timescale
        yield Segment(number, last.session, start, capture, last.turn, absent=lasts)
