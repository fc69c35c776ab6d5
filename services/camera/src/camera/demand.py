"""Whether anybody wants the pictures of a camera that encodes on demand."""

import asyncio

from bus import Bus, Levels
from bus.messages import CameraLease
from bus.topics import CAMERA_LEASE
from media.clock import boottime

from .settings import Demand as Mode

_LOOK = 0.5
"""Seconds between looks whether the mode has changed: a source is known only once it runs."""


class Demand:
    """The leases on one camera, of which the longest counts.

    Nothing is kept of their holders: one that went away early keeps the camera busy for the rest
    of its lease, at most two minutes.
    """

    def __init__(self, bus: Bus, camera: str) -> None:
        self.mode: Mode = "always"
        self._until = 0.0
        self._renewed = asyncio.Event()
        bus.subscribe(CAMERA_LEASE, self._take, camera=camera)

    def _take(self, lease: CameraLease, _levels: Levels) -> None:
        self._until = max(self._until, boottime() + lease.seconds)
        self._renewed.set()

    @property
    def wanted(self) -> bool:
        """Whether to encode: always, or while a lease lasts."""
        return self.mode == "always" or boottime() < self._until

    async def begins(self) -> None:
        """Wait until somebody wants pictures."""
        while not self.wanted:
            self._renewed.clear()
            try:
                async with asyncio.timeout(_LOOK):
                    await self._renewed.wait()
            except TimeoutError:
                continue

    async def ends(self) -> None:
        """Wait until nobody wants them any more."""
        while self.wanted:
            left = self._until - boottime()
            await asyncio.sleep(_LOOK if self.mode == "always" else max(0.01, left))
