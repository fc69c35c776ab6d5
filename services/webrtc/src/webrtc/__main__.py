"""Sends cameras to browsers over WebRTC, their H.264 and Opus untouched."""

import asyncio
import logging

from bus import Bus, main, wall_clock
from bus.media import MediaConnection
from media import clock

from .desk import Desk
from .settings import Settings


async def work(bus: Bus, settings: Settings, _name: str) -> None:
    """Answer viewers' offers (WHEP, handed on by `web`) and send them the camera they ask for."""
    clock.follow(wall_clock.now)
    for library in ("aiortc", "aioice"):
        logging.getLogger(library).setLevel(logging.WARNING)
    media = MediaConnection(settings, bus.instance, bus.invalid)
    desk = Desk(bus, media, settings.webrtc)
    async with asyncio.TaskGroup() as group:
        group.create_task(media.run())
        group.create_task(desk.run())


if __name__ == "__main__":
    main("webrtc", Settings, work)
