"""What of this service can be set: the table `metadata` of `beeper.toml`."""

import bus
from bus.settings import Section
from pydantic import Field


class Metadata(Section):
    """How often to look."""

    interval: float = Field(
        1, ge=0.05, le=3600, description="s between two looks, so between two messages at least"
    )


class Settings(bus.Settings):
    """The settings of `python -m metadata`."""

    metadata: Metadata = Metadata()
