"""What a source of pictures is, and what it gives."""

from dataclasses import dataclass
from typing import Literal, Protocol

Encoding = Literal["hardware", "software", "copy"]
CaptureClock = Literal["sensor", "arrival"]


class SourceError(OSError):
    """Why there are no pictures, or no sound, in one sentence for people."""


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One coded picture, complete.

    nals: its NAL units; parameter sets are among them whenever they are new. capture: when the
    picture was taken, in seconds of CLOCK_BOOTTIME. key: whether a decoder can start here.
    """

    nals: list[bytes]
    capture: float
    key: bool


class Sink(Protocol):
    """Where a driver puts what it has."""

    def unit(self, unit: AccessUnit) -> None:
        """Take one picture; pictures must come in the order in which they are shown."""

    def alive(self) -> None:
        """The source works, though it has nothing to show yet."""


class Driver(Protocol):
    """A way to get H.264 out of a camera.

    The attributes may change while it runs; they go into the camera's status.
    """

    name: str
    encoding: Encoding | None
    clock: CaptureClock | None
    simulated: bool
    warning: str | None

    async def ready(self) -> None:
        """SourceError when something is missing that `run` needs, without starting it."""

    async def run(self, sink: Sink) -> None:
        """Deliver pictures until cancelled; SourceError when the source ends or never begins."""
