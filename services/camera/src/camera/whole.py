"""Whole pictures out of what a hardware encoder gives.

At a low bitrate the encoder of Raspberry Pis before the fifth gives nothing for some frames, and
parameter sets without a picture for others (picamera2 0.3.26 leaves those out, rpicam-apps 1.13
does not).
"""

from media.h264 import slices


class WholePictures:
    """Keeps parameter sets that came alone for the picture that follows."""

    def __init__(self) -> None:
        self._sets: list[bytes] = []

    def picture(self, nals: list[bytes]) -> list[bytes] | None:
        """The NAL units of a picture with what came alone before it; None without a picture."""
        if not slices(nals):
            self._sets = nals or self._sets
            return None
        whole = self._sets + nals
        self._sets = []
        return whole
