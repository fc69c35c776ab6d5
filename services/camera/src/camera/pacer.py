"""Gives live pictures on at once, and those of a recording at its own speed."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from media.clock import boottime

from .demuxer import Piece

Kind = Literal["live", "recording", "presumed", "segments"]
"""presumed: a recording by its speed alone, which is taken back. segments: live, in bursts."""

_ROOM: dict[Kind, int] = {
    "live": 0,
    "recording": 2 << 20,
    # More than the buffers of two hosts hold: a live source that was held up is dry before.
    "presumed": 16 << 20,
    "segments": 32 << 20,
}
"""Bytes that wait here before reading stops."""
_LOOK = 1.0
"""Seconds over which a presumed recording has to come in too fast, else it keeps its reader waiting
and is live."""
_UNDERRUN = 0.5
_LEVEL = 30.0
_SPARE = 2.0
"""Seconds of segments that may wait all the time: what is more only makes the picture older."""
_FASTEST, _AHEAD, _STEP = 3.0, 3.0, 1.0
"""A source is read too fast if, at more than three times its speed, it gets three seconds ahead. A
step counts as one second at most: a clock that leaps is not fast."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A piece, its time by which a recording is played, and that by which it was captured."""

    piece: Piece
    moment: float
    seen: float


class Pacer:
    """Between the demuxer and whoever shows.

    `give` gets what is due, and when it was due (None: at once, for it is live); `hold` stops and
    continues the reading. `empty` is set while nothing waits.
    """

    def __init__(
        self,
        kind: Kind,
        give: Callable[[Waiting, float | None], None],
        hold: Callable[[bool], None],
    ) -> None:
        self.kind = kind
        self._give = give
        self._hold = hold
        self._held = False
        self._queue: deque[Waiting] = deque()
        self._bytes = 0
        self._base: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._look: asyncio.TimerHandle | None = None
        self._gained = 0.0
        self.empty = asyncio.Event()
        self.empty.set()
        self._ahead = 0.0
        self._pts: float | None = None
        self._arrival = boottime()
        self._lowest = float("inf")
        self._since = self._arrival

    def put(self, waiting: Waiting, now: float) -> None:
        """Take what has arrived (now: boot seconds)."""
        if self.kind in ("live", "presumed"):
            self._judge_speed(waiting.piece.pts, now)
        if self.kind == "live":
            self._give(waiting, None)
            return
        self._measure_level(now)
        if self._base is None or (
            not self._queue and self._base + waiting.moment < now - _UNDERRUN
        ):
            self._base = now - waiting.moment
        self._queue.append(waiting)
        self.empty.clear()
        self._bytes += len(waiting.piece.data)
        self._stop_when_full()
        self._schedule()

    def close(self) -> None:
        """Forget what waits."""
        for timer in (self._timer, self._look):
            if timer:
                timer.cancel()
        self._queue.clear()

    def _judge_speed(self, pts: float | None, now: float) -> None:
        step = pts - self._pts if pts is not None and self._pts is not None else 0.0
        passed = max(0.0, now - self._arrival)
        self._pts, self._arrival = pts, now
        gained = min(max(0.0, step), _STEP)
        self._gained += gained
        self._ahead = max(0.0, self._ahead + gained - _FASTEST * passed)
        if self.kind == "live" and self._ahead > _AHEAD:
            self.kind = "presumed"
            self._look_again()

    def _look_again(self) -> None:
        """Begin a stretch of time at whose end it is known how fast the source came in it."""
        self._gained = 0.0
        self._look = asyncio.get_running_loop().call_later(_LOOK, self._judge_again)

    def _judge_again(self) -> None:
        if self.kind != "presumed":
            return
        if self._gained > _FASTEST * _LOOK:
            self._look_again()
        else:
            self._take_back()

    def _stop_when_full(self) -> None:
        if self._bytes <= _ROOM[self.kind]:
            return
        if self.kind == "presumed":
            self.kind = "recording"
        if self.kind == "segments" and self._base is not None:
            self._base -= (self._queue[-1].moment - self._queue[0].moment) / 2
        elif not self._held:
            self._held = True
            self._hold(True)

    def _take_back(self) -> None:
        """Reading has to wait: it was live, and only held up on its way."""
        self.kind = "live"
        self._ahead = 0.0
        self._base = None
        if self._timer:
            self._timer.cancel()
        while self._queue:
            self._pop(None)

    def _measure_level(self, now: float) -> None:
        if self.kind != "segments" or self._base is None:
            return
        level = self._queue[-1].moment - self._queue[0].moment if self._queue else 0.0
        self._lowest = min(self._lowest, level)
        if now - self._since > _LEVEL:
            if self._lowest > _SPARE:
                self._base -= self._lowest - _SPARE / 2
            self._since, self._lowest = now, float("inf")

    def _schedule(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = None
        if self._queue and self._base is not None:
            wait = self._base + self._queue[0].moment - boottime()
            self._timer = asyncio.get_running_loop().call_later(max(0.0, wait), self._release)

    def _release(self) -> None:
        now = boottime() + 0.001
        while self._queue and self._base is not None and self._base + self._queue[0].moment <= now:
            self._pop(self._base + self._queue[0].moment)
        if self._held and self._bytes < _ROOM[self.kind] / 2:
            self._held = False
            self._hold(False)
        self._schedule()

    def _pop(self, due: float | None) -> None:
        waiting = self._queue.popleft()
        self._bytes -= len(waiting.piece.data)
        if not self._queue:
            self.empty.set()
        self._give(waiting, None if self.kind == "segments" else due)
