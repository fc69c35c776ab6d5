"""When RTP timestamps are: they are the `tfdt` of fragments, which say their Unix time, too."""

from media.clock import wall_offset
from media.cmaf import FragmentHeader

NTP_UNIX = 2_208_988_800
WRAP = 1 << 32


class Timeline:
    """The times of one track, by the clock of its camera."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._zero: float | None = None

    def note(self, header: FragmentHeader) -> None:
        """A fragment has come: the camera's wall clock may have been set since the last."""
        self._zero = header.capture - header.tfdt / self.rate

    def at(self, unix: float) -> int:
        """The RTP timestamp of a time in Unix seconds."""
        # Before the first fragment the camera is taken to be on this machine.
        zero = wall_offset() if self._zero is None else self._zero
        return round((unix - zero) * self.rate) % WRAP

    @property
    def epoch(self) -> int:
        """The RTP timestamp at the beginning of NTP's time: `mediaclk:direct`, RFC 7273 §5.2."""
        return (self.at(0) - NTP_UNIX * self.rate) % WRAP


def ntp_time(unix: float) -> int:
    """A 64-bit NTP timestamp (RFC 5905 §6)."""
    return round((unix + NTP_UNIX) * WRAP) % (1 << 64)
