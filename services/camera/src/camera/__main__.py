"""Starts one camera: `python -m camera csi`."""

from bus import Bus, main, wall_clock
from media import clock

from .live import Live
from .settings import Settings


async def work(bus: Bus, settings: Settings, name: str) -> None:
    """Capture and encode one camera, and publish it frame by frame."""
    clock.follow(wall_clock.now)
    await Live(bus, settings, name).run()


if __name__ == "__main__":
    main("camera", Settings, work, takes="camera", known=lambda settings: settings.camera)
