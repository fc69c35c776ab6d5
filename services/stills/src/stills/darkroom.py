"""One camera's way from fragments to JPEGs, open only while a lease lasts."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from bus.media import MediaConnection
from bus.topics import FRAGMENT, INIT, Levels
from media.arrival import Arrivals
from media.cmaf import CmafError, FragmentHeader, Init
from media.h264 import H264Error

from .leases import Leases
from .settings import Stills

if TYPE_CHECKING:
    from .picture import Decoder, JpegEncoder

log = logging.getLogger(__name__)

PENDING = 90
"""Frames that may wait for the decoder before it starts again at a key frame: 3 s at 30 fps."""


class Darkroom:
    """Hears the camera, decodes and publishes between `open` and `close`."""

    def __init__(self, camera: str, media: MediaConnection, settings: Stills) -> None:
        self.leases = Leases()
        self._camera = camera
        self._media = media
        self._settings = settings
        self._frames: asyncio.Queue[tuple[FragmentHeader, bytes]] = asyncio.Queue(PENDING)
        self._arrivals = Arrivals()
        self._init: Init | None = None
        self._decoder: Decoder | None = None
        self._encoder: JpegEncoder | None = None
        self._stop: list[Callable[[], None]] = []
        self._work: asyncio.Task[None] | None = None
        self._due = 0.0

    def open(self, group: asyncio.TaskGroup) -> None:
        """Begin to hear the camera and to make JPEGs."""
        name = self._camera
        self._stop = [
            self._media.subscribe(INIT, self._on_init, camera=name, track="video"),
            self._media.subscribe(FRAGMENT, self._on_fragment, camera=name, track="video"),
        ]
        self._work = group.create_task(self._develop())

    def close(self) -> None:
        """Stop hearing it; a room is not opened again."""
        for stop in self._stop:
            stop()
        if self._work:
            self._work.cancel()

    async def _develop(self) -> None:
        while True:
            header, data = await self._frames.get()
            # Decoding blocks, so it happens in a thread.
            if jpeg := await asyncio.to_thread(self._picture, header, data):
                self._media.publish_jpeg(self._camera, jpeg, header.capture)

    def _on_init(self, payload: bytes, _levels: Levels, _properties: dict[str, str]) -> None:
        if not payload:
            return
        try:
            self._init = Init.parse(payload)
        except CmafError as error:
            self._media.drop(INIT, str(error))
            return
        self._decoder = None
        self._arrivals.reset()

    def _on_fragment(self, payload: bytes, _levels: Levels, _properties: dict[str, str]) -> None:
        try:
            header = FragmentHeader.parse(payload)
        except CmafError as error:
            self._media.drop(FRAGMENT, str(error))
            return
        passes = bool(self._arrivals.observe(header, time.monotonic()))
        fps = self.leases.fps(time.monotonic())
        if not passes or (fps <= self._settings.key_only_fps and not header.key):
            return
        if self._frames.full():
            log.debug("camera %s: too slow to decode, on to the next key frame", self._camera)
            self._arrivals.reset()
            return
        self._frames.put_nowait((header, payload[header.offset :]))

    def _picture(self, header: FragmentHeader, data: bytes) -> bytes | None:
        # PyAV is 30 MB of libraries that a station without MJPEG viewers never needs.
        from .picture import Decoder, JpegEncoder

        if (init := self._init) is None:
            return None
        decoder = self._decoder = self._decoder or Decoder(init)
        try:
            frame = decoder.decode(data, header.key)
        except H264Error as error:
            log.debug("camera %s: %s", self._camera, error)
            return None
        now = time.monotonic()
        if frame is None or now < self._due or not (fps := self.leases.fps(now)):
            return None
        # Half a frame of grace, or a camera of just this rate would lose every other picture.
        self._due = max(self._due + 1 / fps, now - 0.5 / fps)
        if self._encoder is None or self._encoder.size != (frame.width, frame.height):
            self._encoder = JpegEncoder(frame.width, frame.height, self._settings.quality)
        return self._encoder.encode(frame)
