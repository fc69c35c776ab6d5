"""Settings of `aac`."""

import bus
from bus.settings import Section
from pydantic import Field


class Aac(Section):
    """How the AAC is made."""

    bitrate_kbps: int = Field(64, ge=16, le=256, description="kbit/s")
    fill: float = Field(5, ge=0.1, le=60, description="s of missing sound that become silence")
    camera_lease: float = Field(
        10, gt=1, le=120, description="s for which an on-demand camera is asked to go on"
    )


class Settings(bus.Settings):
    """Everything that `aac` knows."""

    aac: Aac = Aac()
