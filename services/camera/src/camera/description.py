"""What ffmpeg says of an input before its first packet."""

import re
from collections.abc import Callable

from .complaint import Complaint

_LEVEL = re.compile(rb"^(?:\[[^\]]* @ 0x[0-9a-f]+\] )*\[(\w+)\] (.*)")
_TOLD = frozenset((b"info", b"verbose", b"warning"))
_INPUT = re.compile(r"Input #0, (\S+), from ")
_DURATION = re.compile(r"\s*Duration: (\S+?),")
_TURN = re.compile(r"(?i)\s*display ?matrix: rotation of (-?[\d.]+) degrees")
_FIELDS = re.compile(r"\((?:[^()]*, )?(?:top|bottom)(?: coded)? first[^()]*\)")

_TIMELESS = frozenset(
    (
        "mpjpeg",
        "mjpeg",
        "h264",
        "hevc",
        "m4v",
        "mpegvideo",
        "obu",
        "vvc",
        "dirac",
        "vc1",
        "cavsvideo",
    )
)
"""Demuxers of bare pictures: their times are made up, mostly as 25 a second."""


class Description(Complaint):
    """Reads stderr at `-loglevel level+info`: the description itself, and errors as a Complaint.

    containers: the names of ffmpeg's demuxer. has_end: a duration is known. clockwise: by how many
    degrees the picture has to be turned. interlaced: its frames are fields. Nothing else is kept:
    the lines hold the address, which may be secret. `told` is called once it is complete.
    """

    def __init__(self, hide: Callable[[str], str], told: Callable[[], None]) -> None:
        super().__init__(hide)
        self._told = told
        self.containers: frozenset[str] = frozenset()
        self.has_end = False
        self.clockwise = 0.0
        self.interlaced = False
        self.complete = False

    @property
    def timed(self) -> bool:
        """Whether the container has times of its own."""
        pipes = any(name.endswith("_pipe") for name in self.containers)
        return not (self.containers & _TIMELESS or pipes)

    @property
    def parsed(self) -> bool:
        """Whether a picture is only known to have ended when the next one begins."""
        return not self.timed and "mpjpeg" not in self.containers

    @property
    def in_segments(self) -> bool:
        """Whether it comes in files of some seconds each."""
        return bool(self.containers & {"hls", "applehttp", "dash"})

    def _take(self, line: bytes) -> None:
        found = _LEVEL.match(line)
        if not found or found[1] not in _TOLD:
            super()._take(line)
        elif not self.complete:
            self._describe(found[2].decode(errors="replace"))

    def _describe(self, text: str) -> None:
        if found := _INPUT.match(text):
            self.containers = frozenset(found[1].split(","))
        elif found := _DURATION.match(text):
            self.has_end = found[1] != "N/A"
        elif found := _TURN.match(text):
            self.clockwise = -float(found[1]) % 360
        elif ": Video: " in text:
            self.interlaced = self.interlaced or bool(_FIELDS.search(text))
        elif text.startswith(("Output #", "Stream mapping")):
            self.complete = True
            self._told()
