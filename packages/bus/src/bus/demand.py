"""Asking for the pictures and sound of cameras that encode only while somebody wants them."""

import asyncio
import contextlib
from collections.abc import Collection

from .client import Bus
from .errors import BusError
from .messages import CameraLease
from .topics import CAMERA_LEASE

OFTEN = 0.5
"""Seconds between two leases at most, so that a new camera need not wait long for its first."""


async def ask_cameras(bus: Bus, cameras: Collection[str], seconds: float) -> None:
    """Lease whatever cameras stand in the collection, for `seconds` each time, until cancelled."""
    while True:
        for camera in list(cameras):
            with contextlib.suppress(BusError):
                lease = CameraLease(holder=bus.instance, seconds=seconds)
                await bus.publish(CAMERA_LEASE, lease, camera=camera)
        await asyncio.sleep(min(OFTEN, seconds / 3))
