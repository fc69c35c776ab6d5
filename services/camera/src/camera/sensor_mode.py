"""Which of its modes an image sensor is read out in: by default one with the whole field of view.

libcamera scores modes by size and aspect ratio alone: for 800×600 it picks a Camera Module 3's
1536×864, which shows two thirds of what the lens sees.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

_ALIKE = 0.98
"""A field of view that is narrower by less than this part counts as the same."""
_NEARLY = 0.99
"""Rates are told rounded: 29.97 does for 30."""


class SensorMode(NamedTuple):
    """Size in pixels, bits a pixel, pictures a second at most, and its part of the sensor."""

    width: int
    height: int
    bits: int
    fps: float
    crop_width: int
    crop_height: int

    def view(self, aspect: float) -> float:
        """Width in pixels of the sensor that a picture of this aspect ratio shows."""
        return min(self.crop_width, self.crop_height * aspect)


def choose(modes: Sequence[SensorMode], width: int, height: int, fps: float) -> SensorMode | None:
    """The smallest mode that is large and fast enough and shows most; None when there is none.

    Where no mode is fast enough, the fastest count; where none is large enough, the largest.
    """
    if not modes:
        return None
    limit = min(fps, max(mode.fps for mode in modes)) * _NEARLY
    fast = [mode for mode in modes if mode.fps >= limit]
    widest = max(mode.view(width / height) for mode in fast) * _ALIKE
    wide = [mode for mode in fast if mode.view(width / height) >= widest]
    large = [mode for mode in wide if mode.width >= width and mode.height >= height]
    if large:
        return min(large, key=lambda mode: (mode.width * mode.height, -mode.bits))
    return max(wide, key=lambda mode: (mode.width * mode.height, mode.bits))


def shortfall(
    mode: SensorMode, modes: Sequence[SensorMode], width: int, height: int, fps: float
) -> str | None:
    """What the chosen mode does not give, in words; None when all is as asked."""
    if mode.fps < fps * _NEARLY:
        return f"the sensor gives {mode.fps:g} pictures a second at most, {fps:g} are asked for"
    seen = mode.view(width / height) / max(each.view(width / height) for each in modes)
    if seen < _ALIKE:
        return f"{fps:g} pictures a second cost field of view: {seen:.0%} of its width are left"
    return None


_CAMERA = re.compile(r"^\s*(\d+) : \S+ ", re.MULTILINE)
_FORMAT = re.compile(r"'([A-Z]+)(\d+)\w*' :")
_MODE = re.compile(r"(\d+)x(\d+) \[([\d.]+) fps - \(\d+, \d+\)/(\d+)x(\d+) crop\]")


def attached(text: str) -> list[int]:
    """The numbers of the cameras in what `rpicam-vid --list-cameras` prints."""
    return [int(number) for number in _CAMERA.findall(text)]


def listed(text: str, camera: int) -> list[SensorMode]:
    """The modes of one camera in what `rpicam-vid --list-cameras` prints."""
    modes = []
    current, bits = -1, 0
    for line in text.splitlines():
        if found := _CAMERA.match(line):
            current = int(found[1])
        if found := _FORMAT.search(line):
            bits = int(found[2])
        if current == camera and (found := _MODE.search(line)):
            width, height, fps, crop_width, crop_height = found.groups()
            sizes = (int(crop_width), int(crop_height))
            modes.append(SensorMode(int(width), int(height), bits, float(fps), *sizes))
    return modes
