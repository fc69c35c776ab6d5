"""Makes JPEGs out of the bus while somebody holds a lease on them."""

import asyncio
import time

from bus import Bus, Levels, main
from bus.demand import ask_cameras
from bus.media import MediaConnection
from bus.messages import JpegLease
from bus.topics import JPEG_LEASE

from .darkroom import Darkroom
from .settings import Settings

LOOK = 0.25
"""Seconds between two looks at which leases have run out."""


async def work(bus: Bus, settings: Settings, _name: str) -> None:
    """Make JPEGs of a camera's video while `beeper/camera/<camera>/jpeg/lease` asks for them."""
    media = MediaConnection(settings, bus.instance, bus.invalid)
    rooms: dict[str, Darkroom] = {}
    async with asyncio.TaskGroup() as group:
        group.create_task(media.run())

        def on_lease(lease: JpegLease, levels: Levels) -> None:
            camera = levels["camera"]
            if camera not in rooms:
                rooms[camera] = Darkroom(camera, media, settings.stills)
                rooms[camera].open(group)
            rooms[camera].leases.renew(lease, time.monotonic())

        bus.subscribe(JPEG_LEASE, on_lease)
        group.create_task(ask_cameras(bus, rooms, settings.stills.camera_lease))
        while True:
            await asyncio.sleep(LOOK)
            for camera, room in list(rooms.items()):
                if not room.leases.fps(time.monotonic()):
                    rooms.pop(camera).close()


if __name__ == "__main__":
    main("stills", Settings, work)
