"""One camera's way from Opus to AAC, open only while a lease lasts."""

import logging
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from bus.media import MediaConnection
from bus.messages import AacLease
from bus.topics import FRAGMENT, INIT, Levels
from media.clock import AUDIO_TIMESCALE
from media.cmaf import AAC_TRACK, CmafError, FragmentHeader, Init, aac_init, fragment

from .settings import Aac

if TYPE_CHECKING:
    from .transcoder import Transcoder

log = logging.getLogger(__name__)

TRACK = "aac"
FRAME = 1024
"""Samples of an AAC frame."""


class Booth:
    """Hears the camera's sound, encodes and publishes between `open` and `close`."""

    def __init__(self, camera: str, media: MediaConnection, settings: Aac) -> None:
        self._camera = camera
        self._media = media
        self._settings = settings
        self._until: dict[str, float] = {}
        self._stop: list[Callable[[], None]] = []
        self._session = ""
        self._heard = ""
        self._channels = 0
        self._seq = 0
        self._tfdt = 0
        self._transcoder: Transcoder | None = None

    @property
    def wanted(self) -> bool:
        """Whether somebody's lease has not run out."""
        return any(until > time.monotonic() for until in self._until.values())

    def renew(self, lease: AacLease) -> None:
        """A holder's newest lease replaces its last one."""
        self._until[lease.holder] = time.monotonic() + lease.seconds

    def open(self) -> None:
        """Begin to hear the camera."""
        levels = {"camera": self._camera, "track": "audio"}
        self._stop = [
            self._media.subscribe(INIT, self._on_init, **levels),
            self._media.subscribe(FRAGMENT, self._on_fragment, **levels),
        ]

    def close(self) -> None:
        """Stop hearing it, and take the track back; a booth is not opened again."""
        for stop in self._stop:
            stop()
        self._media.clear_init(self._camera, TRACK)

    def _on_init(self, payload: bytes, _levels: Levels, properties: dict[str, str]) -> None:
        self._heard = properties.get("session", "")
        if not payload:
            return
        try:
            about = Init.parse(payload)
        except CmafError as error:
            self._media.drop(INIT, str(error))
            return
        if about.channels != self._channels:
            self._begin(about.channels)

    def _begin(self, channels: int) -> None:
        # PyAV is 30 MB of libraries that a station without such listeners never needs.
        from .transcoder import Transcoder

        self._channels = channels
        bitrate = self._settings.bitrate_kbps * 1000
        self._transcoder = Transcoder(channels, bitrate, self._settings.fill)
        self._session, self._seq = secrets.token_hex(4), 0
        header = aac_init(self._transcoder.config, AUDIO_TIMESCALE, channels)
        codecs = Init.parse(header).codecs
        self._media.publish_init(self._camera, TRACK, header, session=self._session, codecs=codecs)
        log.info("camera %s: encoding its sound as AAC", self._camera)

    def _on_fragment(self, payload: bytes, levels: Levels, _properties: dict[str, str]) -> None:
        if self._transcoder is None or levels["session"] != self._heard:
            return
        try:
            header = FragmentHeader.parse(payload)
        except CmafError as error:
            self._media.drop(FRAGMENT, str(error))
            return
        for frame in self._transcoder.take(payload[header.offset :], header.tfdt):
            capture = header.capture + (frame.time - header.tfdt) / AUDIO_TIMESCALE
            self._send(frame.data, frame.time, capture)

    def _send(self, data: bytes, moment: int, capture: float) -> None:
        # Strictly forward: a step back stops players for good.
        if moment <= self._tfdt:
            return
        self._tfdt = moment
        self._seq += 1
        about = (AAC_TRACK, self._seq, moment, FRAME, capture, data, True)
        self._media.publish_fragment(self._camera, TRACK, self._session, fragment(*about), True)
