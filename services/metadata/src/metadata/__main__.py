"""Looks at the cameras' metadata files once a second and publishes what is new."""

import asyncio

from bus import Bus, Refused, main
from bus.messages import CameraMetadata
from bus.topics import CAMERA_METADATA

from .folder import Folder
from .settings import Settings


async def work(bus: Bus, settings: Settings, _name: str) -> None:
    """Follow each camera's growing metadata file and publish the newest record."""
    folder = Folder(settings.runtime_dir, settings.metadata.interval)
    refused: dict[str, str | None] = {}
    while True:
        for camera, message in await asyncio.to_thread(folder.poll):
            refused[camera] = await publish(bus, camera, message)
        report(bus, folder.problems | {part: why for part, why in refused.items() if why})
        await asyncio.sleep(settings.metadata.interval)


async def publish(bus: Bus, camera: str, message: CameraMetadata) -> str | None:
    """Send one record; the broker's reason when it refuses."""
    try:
        await bus.publish(CAMERA_METADATA, message, camera=camera)
    except Refused as error:
        return str(error)
    return None


def report(bus: Bus, problems: dict[str, str]) -> None:
    """Say what is wrong now, and take back what no longer is."""
    for part in {*bus.problems, *problems}:
        bus.problem(part, problems.get(part))


if __name__ == "__main__":
    main("metadata", Settings, work)
