"""From the packets of a foreign source to pictures: copied where that will do, else encoded."""

import asyncio
from dataclasses import replace
from typing import Protocol

from media.clock import boottime
from media.h264 import H264Error, is_key

from .demuxer import Demuxer, Piece
from .encoder import Encoder
from .foreign import intra_only, is_h264, nal_units
from .pacer import Kind, Pacer, Waiting
from .proof import Proof, Refusal
from .settings import Camera
from .source import AccessUnit, Encoding, Sink
from .timeline import Timeline
from .traits import Traits

_PATIENCE = 0.4
"""Seconds that the first pictures wait for the encoder, which has to know their rate."""
_OPENING = 0.05
"""Seconds in which all comes that waited for the connection to be opened: the last of it, which
waited least, tells when the rest was taken."""
_MOST_BYTES = 32 << 20
_PAUSE = 2.0
"""Seconds without a packet that count as time between key frames; the rest is the network's."""
_DAMAGED = 3
"""Key frames in a row that are damaged: then that is how the source is, not its way here."""
_SEGMENTS = 30.0


class Memory(Protocol):
    """What is known of a source beyond one connection, and shown in the status."""

    encoding: Encoding | None
    warning: str | None
    refused: tuple[object, str] | None


class Player:
    """One connection to a source."""

    def __init__(self, camera: Camera, demuxer: Demuxer, memory: Memory, sink: Sink) -> None:
        self._camera = camera
        self._demuxer = demuxer
        self._memory = memory
        self._sink = sink
        self._pacer: Pacer | None = None
        self._timeline = Timeline(timed=True)
        self._media: Timeline | None = None
        self._before: float | None = None
        self._traits = Traits()
        self._proof = Proof(camera.limit)
        self._group: list[tuple[float, Piece]] = []
        self._played = 0.0
        self._last = boottime()
        self._shown: float | None = None
        self._opening: list[Waiting] | None = None
        self._broken = 0
        self._skipping = False
        self._encoder: Encoder | None = None
        self._encodings: list[asyncio.Task[None]] = []
        self._start: asyncio.TimerHandle | None = None
        self._early: asyncio.TimerHandle | None = None
        self.failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def take(self, piece: Piece) -> None:
        """Take what the demuxer gave just now."""
        now = boottime()
        about = self._demuxer.description
        if self._pacer is None:
            self._begin(piece)
        arrival = now
        if about.parsed:
            # It is given away when the next one begins; it began when the one before was given.
            arrival, self._before = self._before or now, now
        seen = self._timeline.observe(piece.pts, arrival)
        moment = self._media.observe(piece.pts, arrival) if self._media else seen
        waiting = Waiting(piece, moment, seen)
        if self._opening is None:
            self._put(waiting)
        else:
            self._opening.append(waiting)

    def _put(self, waiting: Waiting) -> None:
        if self._pacer:
            self._pacer.put(waiting, boottime())

    def _opened(self) -> None:
        opening, self._opening = self._opening or [], None
        if opening and not self._demuxer.description.timed and intra_only(opening[0].piece.stream):
            # All but the last waited for the connection, nobody knows how long.
            del opening[:-1]
        took = max(0.0, boottime() - _OPENING - self._demuxer.begun)
        times = self._timeline.opened([waiting.seen for waiting in opening], took)
        self._timeline.spread = True
        for waiting, seen in zip(opening, times, strict=True):
            self._put(replace(waiting, seen=seen))
        self._timeline.spread = False

    def _begin(self, piece: Piece) -> None:
        about = self._demuxer.description
        kind: Kind = "segments" if self._demuxer.in_segments else "live"
        kind = "recording" if self._demuxer.has_end else kind
        window = _SEGMENTS if kind == "segments" else 6.0
        reorders = piece.stream.decode_delay > 0
        self._timeline = Timeline(timed=about.timed, reorders=reorders, window=window)
        if not about.timed:
            # Times that are made up are good enough to play a recording by.
            self._media = Timeline(timed=True)
        self._pacer = Pacer(kind, self._show, self._demuxer.hold)
        self._opening = []
        self._timeline.opening = kind == "live"
        self._start = asyncio.get_running_loop().call_later(_OPENING, self._opened)
        self._traits.describe(about)
        known = self._memory.refused
        if known and known[0] == _identity(piece):
            self._refuse(known[1], piece)
        elif known:
            self._memory.encoding = self._memory.refused = None

    def _show(self, waiting: Waiting, due: float | None) -> None:
        now = boottime()
        self._played += min(now - self._last, _PAUSE)
        self._last = now
        capture = self._timeline.capture(waiting.seen, now) if due is None else due
        piece = waiting.piece
        if self._memory.encoding == "software":
            self._encode(capture, piece)
            return
        if piece.key:
            self._group.clear()
        self._group.append((capture, piece))
        try:
            self._copy(capture, piece)
        except Refusal as refusal:
            self._refuse(str(refusal), piece)
            self._encode_group()

    def _copy(self, capture: float, piece: Piece) -> None:
        if not is_h264(piece.stream):
            raise Refusal("it is not H.264")
        if self._traits.turned:
            raise Refusal("its picture has to be turned")
        try:
            nals = nal_units(piece.stream, piece)
            self._proof.look(nals, self._played)
        except H264Error as error:
            self._damaged(piece, error)
            return
        key = is_key(nals)
        if key:
            self._broken, self._skipping = 0, False
        if not self._proof.proven or self._skipping:
            self._sink.alive()
            return
        self._memory.encoding, self._memory.warning = "copy", None
        self._shown = capture
        self._sink.unit(AccessUnit(nals, capture, key))

    def _damaged(self, piece: Piece, error: H264Error) -> None:
        """Leave out what is damaged, and what follows it up to the next key frame."""
        self._skipping = True
        self._broken += piece.key
        if self._broken >= _DAMAGED:
            raise Refusal(f"its H.264 is broken ({error})")
        self._sink.alive()

    def _refuse(self, reason: str, piece: Piece) -> None:
        self._memory.encoding = "software"
        self._memory.refused = (_identity(piece), reason)

    def _encode_group(self) -> None:
        """The pictures since the last key frame: a decoder cannot begin behind it."""
        group, self._group = self._group, []
        for capture, piece in group:
            self._encode(capture, piece)

    def _encode(self, capture: float, piece: Piece) -> None:
        changed = self._traits.look(piece)
        encoder = self._encoder
        if encoder and (piece.key or encoder.stream != piece.stream):
            stale = changed or encoder.stream != piece.stream
            if stale or self._rate_is_wrong(encoder):
                self._restart(piece)
        elif not encoder:
            self._group.append((capture, piece))
            self._sink.alive()
            self._start_soon(piece)
            return
        if self._encoder:
            self._encoder.put(capture, piece.key, piece.data)
            self._say(self._encoder)

    def _rate_is_wrong(self, encoder: Encoder) -> bool:
        rhythm = self._timeline.rhythm
        usual = rhythm.mean
        if not usual or rhythm.count < 5 or boottime() - encoder.begun < 10:
            return False
        return not 0.7 < max(1.0, 1 / usual) / max(1.0, encoder.fps) < 1.4

    def _start_soon(self, piece: Piece) -> None:
        size = sum(len(waiting.data) for _, waiting in self._group)
        if self._timeline.rhythm.count >= 3 or size > _MOST_BYTES:
            self._first_start(piece)
        elif self._early is None:
            loop = asyncio.get_running_loop()
            self._early = loop.call_later(_PATIENCE, self._first_start, piece)

    def _first_start(self, piece: Piece) -> None:
        if self._early:
            self._early.cancel()
        if self._encoder is None:
            self._restart(piece)
            group, self._group = self._group, []
            for capture, waiting in group:
                if self._encoder:
                    self._encoder.put(capture, waiting.key, waiting.data)
                    self._say(self._encoder)

    def _restart(self, piece: Piece) -> None:
        usual = self._timeline.rhythm.mean
        fps = 1 / usual if usual else 1.0
        self._stop()
        self._encoder = Encoder(self._camera, piece.stream, self._traits.treatment, fps, self._sink)
        task = asyncio.ensure_future(self._encoder.run(self._shown))
        task.add_done_callback(self._encoder_ended)
        self._encodings.append(task)

    def _stop(self) -> None:
        if self._encoder:
            self._encoder.stop()
        self._encodings = [task for task in self._encodings if not task.done()]
        for task in self._encodings:
            task.cancel()

    def _encoder_ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) and not self.failure.done():
            self.failure.set_exception(error)

    def _say(self, encoder: Encoder) -> None:
        reason = self._memory.refused[1] if self._memory.refused else ""
        words = [f"encoded again, since {reason}", encoder.treatment.words]
        if encoder.left_out:
            words.append(f"{encoder.left_out} pictures left out, since encoding takes too long")
        self._memory.warning = "; ".join(filter(None, words))

    async def played(self) -> None:
        """The source has ended: wait until the rest of a recording has been shown."""
        if self._opening:
            self._opened()
        if self._pacer and self._pacer.kind != "live":
            self._pacer.kind = "recording"
            await self._pacer.empty.wait()

    async def close(self) -> None:
        """End what it started."""
        if self._pacer:
            self._pacer.close()
        for timer in (self._start, self._early):
            if timer:
                timer.cancel()
        self._stop()
        if self._encodings:
            await asyncio.wait(self._encodings)
        if self.failure.done():
            self.failure.exception()


def _identity(piece: Piece) -> object:
    stream = piece.stream
    return (stream.fourcc, stream.extradata, stream.width, stream.height)
