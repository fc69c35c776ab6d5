"""What every consumer does with fragments: measure their lateness, and keep the current group."""

from collections import deque
from dataclasses import dataclass
from typing import Literal

from media.clock import VIDEO_TIMESCALE
from media.cmaf import FragmentHeader, seq_follows

Reason = Literal["gap", "late", "waiting"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether to use a fragment; true when it passes.

    lateness: seconds behind the quickest fragment of the window.
    reason: None when it passes, else `gap` (a fragment before it is missing), `late` (lateness is
    over the limit) or `waiting` (no key frame has come since the start, a gap or lateness).
    """

    passes: bool
    lateness: float
    reason: Reason | None = None

    def __bool__(self) -> bool:
        return self.passes


class Arrivals:
    """The judge of one track's fragments in the order of their arrival.

    Lateness is arrival minus tfdt, less the least value of that in the last `window` seconds: the
    two clocks need not agree. A gap in `seq` or a lateness over `limit` (seconds) drops everything
    to the next key frame that is in time. A delay that stays becomes the normal one after `window`
    seconds. A tfdt that steps back (the station has rebooted) starts afresh.
    """

    def __init__(
        self, limit: float = 0.5, window: float = 60.0, timescale: int = VIDEO_TIMESCALE
    ) -> None:
        self._limit = limit
        self._window = window
        self._timescale = timescale
        self.reset()

    def reset(self) -> None:
        """Forget everything: a new session begins, and with it the wait for its first key frame."""
        self.lateness = 0.0
        self._waiting = True
        self._seq: int | None = None
        self._tfdt = 0
        # Delays in ascending order: whatever came before a smaller one can never be the least.
        self._least: deque[tuple[float, float]] = deque()

    def observe(self, header: FragmentHeader, now: float) -> Verdict:
        """Judge the fragment that arrived at `now` (seconds of any clock that never steps)."""
        if self._seq is not None and header.tfdt < self._tfdt:
            self.reset()
        gap = self._seq is not None and not seq_follows(self._seq, header.seq)
        self._seq, self._tfdt = header.seq, header.tfdt
        self.lateness = self._measure(now - header.tfdt / self._timescale, now)
        return self._judge(header.key, gap)

    def _judge(self, key: bool, gap: bool) -> Verdict:
        if self.lateness > self._limit:
            self._waiting = True
            return Verdict(False, self.lateness, "late")
        if key:
            self._waiting = False
        elif gap:
            self._waiting = True
            return Verdict(False, self.lateness, "gap")
        if self._waiting:
            return Verdict(False, self.lateness, "waiting")
        return Verdict(True, self.lateness)

    def _measure(self, delay: float, now: float) -> float:
        least = self._least
        while least and least[-1][1] >= delay:
            least.pop()
        least.append((now, delay))
        while least[0][0] < now - self._window:
            least.popleft()
        return delay - least[0][1]


class GroupOfPictures:
    """The frames since the last key frame, for whoever joins now.

    Over `limit_bytes` or `limit_frames` the group is useless to a joiner and is emptied until the
    next key frame. The defaults hold ten seconds at 60 frames a second and 13 Mbit/s.
    """

    def __init__(self, limit_bytes: int = 16 << 20, limit_frames: int = 600) -> None:
        self._limit_bytes = limit_bytes
        self._limit_frames = limit_frames
        self._frames: list[bytes] = []
        self._bytes = 0

    @property
    def frames(self) -> tuple[bytes, ...]:
        """The group from its key frame on; empty when there is none."""
        return tuple(self._frames)

    def add(self, data: bytes, key: bool) -> None:
        """Take the next frame: a key frame begins a new group."""
        if key:
            self.clear()
        elif not self._frames:
            return
        self._frames.append(data)
        self._bytes += len(data)
        if self._bytes > self._limit_bytes or len(self._frames) > self._limit_frames:
            self.clear()

    def clear(self) -> None:
        """Forget the group: after a gap, or in a new session, the rest does not belong to it."""
        self._frames.clear()
        self._bytes = 0
