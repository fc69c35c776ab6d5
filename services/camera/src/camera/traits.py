"""What foreign pictures are like, by their container, their parameter sets and their headers."""

from dataclasses import replace

from media.h264 import (
    H264Error,
    Orientation,
    ParameterSets,
    Sps,
    display_orientation,
    nal_type,
)
from media.jpeg import JpegError, JpegHeader

from .demuxer import Piece
from .description import Description
from .foreign import intra_only, is_h264, nal_units
from .treatment import Treatment

_SEI = 6


class Traits:
    """Follows them; `treatment` is what they need."""

    def __init__(self) -> None:
        self.treatment = Treatment(0, 0)
        self._sets = ParameterSets()

    @property
    def turned(self) -> bool:
        """Whether the picture must not be shown as it is coded."""
        return self.treatment.orientation != Orientation()

    def describe(self, about: Description) -> None:
        """Take what the container says."""
        orientation = Orientation(clockwise=about.clockwise)
        self.treatment = Treatment(0, 0, about.interlaced, orientation)

    def look(self, piece: Piece) -> bool:
        """Look at a packet that a decoder can start with; whether something has changed."""
        before = self.treatment
        if before.width == 0:
            self.treatment = replace(before, width=piece.stream.width, height=piece.stream.height)
        try:
            if intra_only(piece.stream):
                self._look_at_jpeg(JpegHeader.parse(piece.data))
            elif piece.key and is_h264(piece.stream):
                self._look_at_h264(nal_units(piece.stream, piece))
        except (H264Error, JpegError):
            return False  # the decoder will say what it makes of it
        return self.treatment != before

    def _look_at_jpeg(self, about: JpegHeader) -> None:
        self.treatment = replace(
            self.treatment,
            width=about.width,
            height=about.height,
            interlaced=about.interlaced,
        )

    def _look_at_h264(self, nals: list[bytes]) -> None:
        self._sets.take(nals)
        if used := self._sets.used_by(nals):
            about = Sps.parse(used[0])
            self.treatment = replace(
                self.treatment,
                width=about.width,
                height=about.height,
                interlaced=about.interlaced,
            )
        for nal in nals:
            if nal_type(nal) == _SEI and (found := display_orientation(nal)):
                self.treatment = replace(self.treatment, orientation=found)
