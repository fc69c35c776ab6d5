"""Cuts one track into the segments and parts of HLS."""

from dataclasses import replace

from media.cmaf import FragmentHeader, Init, fragment, seq_follows, with_duration

from .rendition import Rendition
from .segment import Part, Segment

GRACE = 0.6
"""Of a segment's length: so long a cut waits for a key frame before it goes without one."""
LEAST = 0.85
"""Of the part target: RFC 8216bis §4.4.4.9."""
SILENT = b"\xf8\xff\xfe"
"""An Opus packet of 20 ms that decodes to silence (RFC 6716 §3.1: configuration 31, mono)."""


class Cutter:
    """Cuts by `tfdt` alone, so that all replicas of web number and cut alike.

    Segment n begins with the first key frame after n times its length. Each frame is held until the
    next one has come, for only then it is known how long it lasts. length, wish: seconds of a
    segment, and of a part as far as the rate of the frames allows.
    """

    def __init__(self, rendition: Rendition, length: float, wish: float) -> None:
        self._rendition = rendition
        self._length = length
        self._wish = wish
        self._session = ""
        self._scale = 1
        self._silence = False
        self._turn = 0
        self._cut = False
        self._waiting = True
        self._held: tuple[FragmentHeader, bytes] | None = None
        self._frames: list[bytes] = []
        self._began: FragmentHeader | None = None
        self._end = 0

    def begin(self, init: bytes, session: str, about: Init) -> None:
        """A new encoder: its header, and the session that its fragments belong to."""
        self._finish()
        self._session = session
        self._scale = about.timescale
        self._silence = about.codecs == "opus"
        self._rendition.begin(init, session, about.timescale)

    def turn(self, count: int) -> None:
        """What comes next stands behind the camera's `count`-th discontinuity."""
        self._cut = self._cut or count != self._turn
        self._turn = count

    def clear(self) -> None:
        """What comes next does not continue what came before."""
        self._frames.clear()
        self._held = self._began = None
        self._waiting = True
        self._rendition.clear()

    def take(self, header: FragmentHeader, data: bytes) -> None:
        """The next fragment of the session."""
        if self._held and header.tfdt <= self._held[0].tfdt:
            self.clear()
        elif self._held and not seq_follows(self._held[0].seq, header.seq):
            self._bridge(self._held[0], header)
        if self._waiting and not header.key:
            return
        self._waiting = False
        full = self._is_full(header)
        self._release(header)
        self._place(header, full)
        self._held = header, data

    def _bridge(self, before: FragmentHeader, header: FragmentHeader) -> None:
        """Something is missing: silence stands for sound, pictures wait for the next key frame."""
        if not self._silence:
            self._waiting = True
            return
        step = before.duration
        missing = round((header.tfdt - before.tfdt) / step) - 1
        if missing * step > self._length * self._scale:
            return
        for count in range(1, missing + 1):
            capture = before.capture + count * step / self._scale
            tfdt, seq = before.tfdt + count * step, before.seq + count
            silent = fragment(before.track_id, seq, tfdt, step, capture, SILENT, True)
            self.take(replace(before, seq=seq, tfdt=tfdt, capture=capture), silent)

    def _is_full(self, header: FragmentHeader) -> bool:
        """Whether the part ends before this frame: between 85 % of its target and the whole of it.

        Where frames are too long for that, it ends where it is nearest to the wished length.
        """
        if self._began is None or self._held is None:
            return False
        frame = max(self._held[0].duration, header.tfdt - self._held[0].tfdt)
        target = self._rendition.part_target * self._scale
        least = LEAST * target
        if least + frame > target:
            least = self._wish * self._scale - frame / 2
        return header.tfdt - self._began.tfdt >= least

    def _place(self, header: FragmentHeader, full: bool) -> None:
        """Let a segment or a part begin with this frame, where it is time."""
        number, last = self._number(header), self._rendition.last
        opens = self._cut or last is None or number > last.number
        if opens or full:
            self._close()
        if opens:
            self._cut = False
            number = max(number, last.number + 1) if last else number
            frames = max(1, round(self._wish * self._scale / header.duration))
            # A tenth more than the parts usually last, since cameras are not that exact.
            self._rendition.part_target = 1.1 * frames * header.duration / self._scale
            about = (self._session, header.tfdt, header.capture, self._turn)
            self._rendition.open(Segment(number, *about))
        if self._began is None:
            self._began = header

    def _number(self, header: FragmentHeader) -> int:
        grid = round(self._length * self._scale)
        cell, into = divmod(header.tfdt, grid)
        return cell if header.key or into >= GRACE * grid else cell - 1

    def _release(self, following: FragmentHeader | None) -> None:
        """The held frame lasts until the next one, if that comes soon enough."""
        if self._held is None:
            return
        header, data = self._held
        lasts = following.tfdt - header.tfdt if following else header.duration
        if lasts > self._length * self._scale:
            lasts = header.duration
        self._frames.append(with_duration(data, lasts))
        self._end = header.tfdt + lasts
        self._held = None

    def _finish(self) -> None:
        """No frame follows the held one."""
        self._release(None)
        self._close()
        self._rendition.finish()
        self._waiting = True

    def _close(self) -> None:
        if self._began:
            duration = self._end - self._began.tfdt
            self._rendition.add(Part(b"".join(self._frames), duration, self._began.key))
        self._frames.clear()
        self._began = None
