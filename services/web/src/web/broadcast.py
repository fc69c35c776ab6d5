"""A camera's renditions for HLS, fed by its channel while that hears the camera."""

import gzip
from functools import partial

from media.cmaf import FragmentHeader, Init

from . import playlist
from .cutter import Cutter
from .rendition import Rendition
from .settings import Web

TRACKS = ("video", "audio", "aac")


class Broadcast:
    """The picture, its sound as Opus and as AAC: each cut alike, on one timeline."""

    def __init__(self, settings: Web) -> None:
        self.renditions = {
            name: Rendition(settings.hls_segment, settings.hls_window) for name in TRACKS
        }
        self._length = settings.hls_segment
        cutter = partial(Cutter, length=settings.hls_segment, wish=settings.hls_part)
        self._cutters = {name: cutter(found) for name, found in self.renditions.items()}
        self._turns = 0
        self._written: dict[str, tuple[int, bytes, bytes]] = {}

    def begin(self, track: str, init: bytes, session: str, about: Init) -> None:
        """A new session of a track; one of the picture is a discontinuity of all of them."""
        if cutter := self._cutters.get(track):
            cutter.begin(init, session, about)
            if track == "video" and self.renditions["video"].last:
                self._turns += 1
            for each in self._cutters.values():
                each.turn(self._turns)

    def take(self, track: str, header: FragmentHeader, data: bytes) -> None:
        """The next fragment of a track's session."""
        if cutter := self._cutters.get(track):
            cutter.take(header, data)

    def stop(self, track: str) -> None:
        """The track is not heard any more."""
        if cutter := self._cutters.get(track):
            cutter.clear()
            self._written.pop(track, None)

    def end(self) -> None:
        """Let go of everybody who waits."""
        for rendition in self.renditions.values():
            rendition.ended = True
            rendition.changed()

    def playlist(self, track: str, packed: bool) -> bytes:
        """The playlist of a rendition that lists something; written once for all who ask."""
        rendition = self.renditions[track]
        written = self._written.get(track)
        if written is None or written[0] != rendition.version:
            text = playlist.media(track, rendition, self._length, self.renditions).encode()
            packed_text = gzip.compress(text, compresslevel=1)
            written = self._written[track] = rendition.version, text, packed_text
        return written[2] if packed else written[1]

    @property
    def bandwidth(self) -> int | None:
        """bit/s of the largest segment that is kept, all tracks; None before there is one."""
        rates = 0.0
        for rendition in self.renditions.values():
            whole = [one for one in rendition.listed if one.complete and not one.absent]
            rate = max((one.size / one.duration for one in whole), default=0)
            rates += 8 * rate * rendition.timescale
        return round(rates) or None
