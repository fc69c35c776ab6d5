"""ffmpeg as a demuxer alone: packets as they come, with the times as the source has them."""

from collections.abc import Callable
from dataclasses import dataclass

from media.clock import boottime
from media.nut import NutReader, Packet, Stream

from . import ffmpeg
from .address import Address
from .child import Child
from .description import Description
from .meaning import in_words
from .opening import Opening
from .source import SourceError

_BASE = 10**15
"""Ticks that are added to each time, since NUT has none below zero."""
_TIME = "if(eq(PTS\\,NOPTS)\\,DTS\\,PTS)"
_RAW_TIMES = f"setts=dts=N:pts=if(eq({_TIME}\\,NOPTS)\\,N\\,{_TIME}+{_BASE})"
"""ffmpeg bends a time that steps back into one that just goes on. It looks at the order of
decoding alone: with the packet's number there, the time of showing comes through as it is."""
_NEVER = "1e9"
"""Seconds of a leap from which on ffmpeg would level it out, or drop the times."""

_START = ["ffmpeg", "-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+info"]
_LEAPS = ["-dts_delta_threshold", _NEVER, "-dts_error_threshold", _NEVER]
_BRIEF = ["-analyzeduration", "200000"]
"""Of bare pictures ffmpeg takes two seconds at 25 a second to be 50: at five a second that is ten
seconds. Only a container that is joined far from a key frame needs as long."""
_UNCLEAR = "dimensions not set"
_COPY = ["-map", "0:v:0", "-c:v", "copy"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A packet of the source. pts: seconds of the source's own clock; None when it has none."""

    stream: Stream
    pts: float | None
    key: bool
    data: bytes


class Demuxer:
    """One connection to a source. begun: when it was asked for (boot seconds)."""

    def __init__(self, address: Address, opening: Opening) -> None:
        self._address = address
        self._opening = opening
        self._take: Callable[[Piece], None] = lambda _: None
        self._child: Child | None = None
        self._base = 0
        self._reset()

    def _reset(self) -> None:
        self.started = False
        self.begun = boottime()
        self._reader = NutReader()
        self._waiting: list[Packet] = []
        self.description = Description(self._address.hide, self._described)

    @property
    def has_end(self) -> bool:
        """Whether it is a recording by its kind: a file, or something with a length."""
        return self._address.is_file or self._opening.recording or self.description.has_end

    @property
    def in_segments(self) -> bool:
        """Whether it comes in files of some seconds each."""
        return self._opening.segments or self.description.in_segments

    async def run(self, take: Callable[[Piece], None]) -> None:
        """Read until cancelled, and hand on each packet as soon as it is there.

        Always raises; SourceError says why the source has ended.
        """
        self._take = take
        if self._address.may_be_bare:
            failure = await self._connect(_BRIEF)
            if self.started or not any(_UNCLEAR in line for line in self.description.lines):
                raise failure
            self._reset()
        raise await self._connect([])

    async def _connect(self, options: list[str]) -> SourceError:
        # A file that is played again and again would end the filter with its first end.
        looped = self._address.is_file
        leaps, raw = ([], []) if looped else (_LEAPS, ["-bsf:v", _RAW_TIMES])
        self._base = 0 if looped else _BASE
        *before, option, url = self._opening.arguments
        source = [*before, *options, option, url]
        command = [*_START, *leaps, *source, *_COPY, *raw, *ffmpeg.OUT]
        self._child = child = await Child.start(
            command, self._feed, stdin=self._opening.stdin, complaint=self.description
        )
        try:
            return in_words(await child.failure(), self.description.lines, self._address)
        finally:
            await child.end()

    def hold(self, on: bool) -> None:
        """Stop reading, so that what comes waits on its way here; or go on."""
        if self._child:
            self._child.hold(on)

    def _feed(self, data: bytes) -> None:
        self._waiting += self._reader.feed(data)
        # The description is written before the first packet, but to a pipe of its own.
        if self.description.complete:
            self._give()

    def _described(self) -> None:
        if self._child:
            self._child.guard(self._give)

    def _give(self) -> None:
        packets, self._waiting = self._waiting, []
        self.started = self.started or bool(packets)
        for packet in packets:
            self._take(_piece(self._reader.streams[packet.stream], packet, self._base))


def _piece(stream: Stream, packet: Packet, ticks: int) -> Piece:
    base = float(ticks * stream.time_base)
    timed = packet.pts >= base / 2
    return Piece(stream, packet.pts - base if timed else None, packet.key, packet.data)
