"""What a way to push has to offer, whatever its protocol."""

from typing import NamedTuple, Protocol

from media.cmaf import FragmentHeader


class TargetError(Exception):
    """The target cannot be reached, refuses or no longer accepts; says why, secrets removed."""


class Headers(NamedTuple):
    """The CMAF headers of a camera's tracks; `audio` is None when there is none to push."""

    video: bytes
    audio: bytes | None


class Push(Protocol):
    """One connection to a target."""

    @property
    def accepted(self) -> int:
        """Bytes that the target has confirmed on this connection."""

    @property
    def dropped(self) -> int:
        """Frames that it was too slow for."""

    async def open(self) -> None:
        """Connect until the target takes media; TargetError says why it does not."""

    def send(self, header: FragmentHeader, fragment: bytes) -> None:
        """Give it a fragment now or never; it begins with a key frame."""

    async def ended(self) -> None:
        """Wait for the end of the connection and raise TargetError with its reason."""

    async def close(self) -> None:
        """End it, in order where the target still answers."""
