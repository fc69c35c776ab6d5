"""Encodes cameras' sound as AAC while somebody holds a lease on it."""

import asyncio

from bus import Bus, Levels, main
from bus.demand import ask_cameras
from bus.media import MediaConnection
from bus.messages import AacLease
from bus.topics import AAC_LEASE

from .booth import Booth
from .settings import Settings

LOOK = 0.25
"""Seconds between two looks at which leases have run out."""


async def work(bus: Bus, settings: Settings, _name: str) -> None:
    """Encode a camera's Opus as AAC while `beeper/camera/<camera>/aac/lease` asks for it."""
    media = MediaConnection(settings, bus.instance, bus.invalid)
    booths: dict[str, Booth] = {}

    def on_lease(lease: AacLease, levels: Levels) -> None:
        camera = levels["camera"]
        if camera not in booths:
            booths[camera] = Booth(camera, media, settings.aac)
            booths[camera].renew(lease)
            booths[camera].open()
        booths[camera].renew(lease)

    async with asyncio.TaskGroup() as group:
        group.create_task(media.run())
        bus.subscribe(AAC_LEASE, on_lease)
        group.create_task(ask_cameras(bus, booths, settings.aac.camera_lease))
        while True:
            await asyncio.sleep(LOOK)
            for camera, booth in list(booths.items()):
                if not booth.wanted:
                    booths.pop(camera).close()


if __name__ == "__main__":
    main("aac", Settings, work)
