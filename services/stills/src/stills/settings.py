"""Settings of `stills`."""

import bus
from bus.settings import Section
from pydantic import Field


class Stills(Section):
    """How the JPEGs are made."""

    quality: int = Field(5, ge=2, le=31, description="FFmpeg's quantiser: 2 is best, 31 smallest")
    key_only_fps: float = Field(
        1, ge=0, le=10, description="up to this rate only key frames are decoded"
    )
    camera_lease: float = Field(
        10, gt=1, le=120, description="s for which an on-demand camera is asked to go on"
    )


class Settings(bus.Settings):
    """Everything that `stills` knows."""

    stills: Stills = Stills()
