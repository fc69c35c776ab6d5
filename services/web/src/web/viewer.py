"""One viewer of a camera: gets frames as they come, and loses them when it cannot keep up."""

import json
from collections import deque
from collections.abc import Callable, Iterable
from time import monotonic

from .ledger import Ledger
from .wire import FAILED, POLICY, Ending, Wire

MAX_FRAMES = 600
MAX_BYTES = 4 << 20
"""What may wait for one viewer; the bytes are shared with all others."""
RETRY = 1.0
"""Seconds without a word after which a viewer that fell behind gets another key frame."""
FAR = 0.5
"""Seconds of round trip, at most, that are a viewer's distance and not its slowness."""

CONTROL = 0
AUDIO = -1
"""Numbers of what is no video frame: control messages are never dropped."""


class Viewer:
    """Frames go straight to the transport; they wait in a bounded queue only while it is full.

    When the oldest frame without acknowledgement is older than the ledger's patience, everything
    is dropped until a key frame comes and the viewer has answered for what it got.
    """

    def __init__(self, wire: Wire, ledger: Ledger, unanswered: float) -> None:
        self.ending = Ending()
        self.audio = False
        self.waiting = True
        self.sent_frames = 0
        self.dropped_frames = 0
        self.malformed = 0
        self.on_audio: Callable[[Viewer], None] = lambda viewer: None
        self._wire = wire
        self._ledger = ledger
        self._unanswered = unanswered
        self._paused = False
        self._queue: deque[tuple[int, bytes]] = deque()
        self._queued = 0
        self._sent = self._acked = ledger.newest
        self._since = self._answered = monotonic()
        self._joined: int | None = None
        self._mute_since: float | None = None

    def tell(self, frame: bytes) -> None:
        """Send a control message or a header; it is kept while the transport is full."""
        if len(self._queue) >= 2 * MAX_FRAMES:
            self.complain("answers are not read")
        else:
            self._put(CONTROL, frame)

    def fail(self) -> None:
        """End it: something went wrong with it here."""
        self.ending.set((FAILED, "an error on the station"))

    def restart(self) -> None:
        """The stream was interrupted: nothing is owed, the next key frame begins anew."""
        self.waiting = True
        self._forget()
        self._sent = self._acked = self._ledger.newest
        self._mute_since = None

    def join(self, group: Iterable[bytes], count: int) -> None:
        """Get the current group of pictures at once; its last frame is the ledger's newest.

        What comes next waits until the group is acknowledged: behind it, on a slow link, every
        frame would be as late as the whole group takes.
        """
        self._begin(self._ledger.newest - count, monotonic())
        self._joined = self._ledger.newest
        for number, frame in enumerate(group, self._acked + 1):
            self._put(number, frame)

    def offer(self, frame: bytes, key: bool, number: int, now: float) -> None:
        """Take the next video frame, or lose it."""
        if self.waiting:
            if not key or not self._ready(now):
                self._lose(now)
                return
            self._begin(number - 1, now)
        elif self._acked < self._ledger.overdue and self._behind(now):
            self._fall(now)
            return
        if self._waits(number):
            self._hold(number, frame, now)
        else:
            self._sent = number
            self.sent_frames += 1
            self._wire.write(frame)

    def offer_audio(self, frame: bytes) -> None:
        """Take the next audio packet, or lose it."""
        if not self._paused:
            self._wire.write(frame)
        elif not self.waiting and len(self._queue) < MAX_FRAMES:
            self._queue.append((AUDIO, frame))

    def heard(self, data: bytes) -> None:
        try:
            message = json.loads(data)
        except (ValueError, RecursionError):
            message = None
        match message:
            case {"type": "ack", "seq": int(seq), **rest} if not rest:
                self._acknowledge(seq)
            case {"type": "audio", "on": bool(on), **rest} if not rest:
                if on != self.audio:
                    self.audio = on
                    self.on_audio(self)
            case _:
                self.complain("that is neither an ack nor an audio message")

    def complain(self, reason: str) -> None:
        self.malformed += 1
        self.ending.set((POLICY, reason))

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        self._drain()

    def gone(self) -> None:
        self.ending.set(None)

    def _waits(self, number: int) -> bool:
        return self._paused or (self._joined is not None and number > self._joined)

    def _drain(self) -> None:
        while self._queue and not self._waits(self._queue[0][0]):
            number, frame = self._queue.popleft()
            self._queued -= len(frame) if number > 0 else 0
            self._put(number, frame)

    def _put(self, number: int, frame: bytes) -> None:
        if self._waits(number):
            self._queue.append((number, frame))
            self._queued += len(frame) if number > 0 else 0
            return
        if number > 0:
            self._sent = number
            self.sent_frames += 1
        self._wire.write(frame)

    def _hold(self, number: int, frame: bytes, now: float) -> None:
        if len(self._queue) >= MAX_FRAMES or self._queued + len(frame) > MAX_BYTES:
            self._fall(now)
        else:
            self._put(number, frame)

    def _begin(self, acked: int, now: float) -> None:
        self.waiting = False
        self._acked = acked
        self._since = self._answered = now

    def _behind(self, now: float) -> bool:
        unanswered = min(now - self._since, self._ledger.age(self._acked + 1, now))
        patience = self._ledger.patience
        return unanswered > patience and unanswered > patience + min(FAR, self._wire.distance())

    def _ready(self, now: float) -> bool:
        owed = self._ledger.age(self._acked, now) - self._ledger.age(self._sent, now)
        answered = owed < self._ledger.patience / 2 or now - self._answered > RETRY
        return answered and not self._paused

    def _fall(self, now: float) -> None:
        self.waiting = True
        if self._mute_since is None:
            self._mute_since = now
        self._forget()
        self._lose(now)

    def _lose(self, now: float) -> None:
        self.dropped_frames += 1
        if self._mute_since is not None and now - self._mute_since > self._unanswered:
            self._wire.abort()

    def _forget(self) -> None:
        self.dropped_frames += sum(number > 0 for number, _ in self._queue)
        self._queue = deque(item for item in self._queue if item[0] == CONTROL)
        self._queued = 0
        self._joined = None

    def _acknowledge(self, seq: int) -> None:
        number = self._ledger.number(seq)
        if number is None or not self._acked < number <= self._sent:
            return
        self._acked, self._answered, self._mute_since = number, monotonic(), None
        if self._joined is not None and number >= self._joined:
            self._joined = None
            self._drain()
