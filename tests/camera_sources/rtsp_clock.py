"""An RTSP camera whose clock is set, drifts, or wraps: the RTP times are changed on their way."""

import struct
from collections.abc import Callable
from pathlib import Path

from camera_rtsp import RtspServer
from media.clock import boottime

SECOND = 90_000
HOUR = 3600 * SECOND
AFTER = 3 * SECOND

Clock = Callable[[int], int]
"""From the true time of a picture (ticks since the first) to the time that the camera says."""

CLOCKS: dict[str, Clock] = {
    "right": lambda t: t,
    "an hour forward, once": lambda t: t + HOUR * (t > AFTER),
    "an hour back, once": lambda t: t + 2 * HOUR - HOUR * (t > AFTER),
    "two seconds back, once": lambda t: t + HOUR - 2 * SECOND * (t > AFTER),
    "an hour forward, each second": lambda t: t + HOUR * (t // SECOND),
    "forth and back": lambda t: t + HOUR + HOUR * (t // (2 * SECOND) % 2),
    "32 bits wrap": lambda t: (1 << 32) - AFTER + t,
    "100 ppm fast": lambda t: t + t // 10_000,
    "30 % fast": lambda t: t + t * 3 // 10,
    "30 % slow": lambda t: t - t * 3 // 10,
}


class ClockedCamera(RtspServer):
    """Ten pictures a second, a key frame each second. sent: when each picture left (boot s)."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._clock = clock
        self._first: int | None = None
        self.sent: list[float] = []
        pattern = ("-re", "-f", "lavfi", "-i", "testsrc2=s=320x240:r=10")
        x264 = ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "10")
        super().__init__(folder, *pattern, *x264, "-pix_fmt", "yuv420p", "-bsf:v", "dump_extra")

    def stamped(self, packet: bytes) -> bytes:
        """RFC 3550 §5.1: the time stands in bytes 4 to 7, the marker bit ends a picture."""
        (time,) = struct.unpack_from(">I", packet, 4)
        if self._first is None:
            self._first = time
        said = self._clock((time - self._first) % (1 << 32)) % (1 << 32)
        if packet[1] & 0x80:
            self.sent.append(boottime())
        return packet[:4] + struct.pack(">I", said) + packet[8:]
