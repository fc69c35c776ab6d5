"""Whether what is filmed leaves: the broker may take nothing of a camera that works."""

import asyncio

from bus import Bus
from bus.media import MediaConnection
from media.clock import boottime

PART = "media"
"""The part of the service that has the problem; `station/healthy.py` looks for it."""
MOMENT = 10.0
"""Seconds that may be lost unsaid: after a drop all waits for a key frame, and that may be far."""
_LOOK = 1.0


class Outlet:
    """Watches the connection for media, which can be missing or stuck while the bus is well.

    Encoding goes on: a new encoder would reach the broker no better.
    """

    def __init__(self, bus: Bus, media: MediaConnection) -> None:
        self._bus = bus
        self._media = media
        self._dropped = 0
        self._well = boottime()

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            self.look(boottime())
            await asyncio.sleep(_LOOK)

    def look(self, now: float) -> None:
        """Judge what happened since the last look (now: boot seconds), and say it."""
        away = self._media.link.connection is None
        lossless = self._media.dropped == self._dropped
        self._dropped = self._media.dropped
        # Without the bus nothing could be said, and a broker that is back is reached by both.
        if not self._bus.connected or (lossless and not away):
            self._well = now
        lost = f"the broker is away ({self._media.link.reason})" if away else "the broker is slow"
        text = f"pictures and sound are dropped: {lost}"
        self._bus.problem(PART, text if now - self._well > MOMENT else None)
