"""A camera's sound out of the bus: where the microphone belongs to the camera's container alone."""

import asyncio
import time
from collections.abc import Callable

import av
from av.audio.codeccontext import AudioCodecContext
from bus import Bus, Levels
from bus import Settings as Base
from bus.demand import ask_cameras
from bus.media import MediaConnection
from bus.topics import FRAGMENT, INIT
from media.cmaf import CmafError, FragmentHeader, Init

from .alsa import POLL, RATE
from .settings import Audio
from .source import Fault

LEASE = 10
"""Seconds for which an on-demand camera is asked to go on, again and again."""


async def hear(bus: Bus, base: Base, audio: Audio, heard: Callable[[bytes], None]) -> None:
    """Hand over samples (S16, mono, 48 kHz) of the camera's Opus; raises Fault when it is silent.

    An on-demand camera encodes for as long as it is heard.
    """
    media = MediaConnection(base, bus.instance, bus.invalid)
    ear = Ear(media, audio.camera, heard)
    helpers = [
        asyncio.create_task(media.run()),
        asyncio.create_task(ask_cameras(bus, [audio.camera], LEASE)),
    ]
    try:
        while (rest := ear.heard_at + audio.silence - time.monotonic()) > 0:
            soonest = max(rest, POLL)
            await asyncio.sleep(soonest)
        raise Fault(
            f"camera {audio.camera} has sent no sound for {audio.silence:g} s: see its status, and "
            f"camera.{audio.camera}.audio"
        )
    finally:
        for helper in helpers:
            helper.cancel()
        await asyncio.gather(*helpers, return_exceptions=True)


class Ear:
    """Decodes the newest session of one camera's sound as it comes."""

    def __init__(self, media: MediaConnection, camera: str, heard: Callable[[bytes], None]) -> None:
        self.heard_at = time.monotonic()
        self._media = media
        self._heard = heard
        self._session = ""
        self._opus: AudioCodecContext | None = None
        self._resampler = av.AudioResampler("s16", "mono", RATE)
        levels = {"camera": camera, "track": "audio"}
        media.subscribe(INIT, self._on_init, **levels)
        media.subscribe(FRAGMENT, self._on_fragment, **levels)

    def _on_init(self, payload: bytes, _levels: Levels, properties: dict[str, str]) -> None:
        self._opus = None
        self._session = properties.get("session", "")
        if not payload:
            return
        try:
            channels = Init.parse(payload).channels
        except CmafError as error:
            self._media.drop(INIT, str(error))
            return
        self._opus = AudioCodecContext.create("libopus", "r")
        self._opus.sample_rate = RATE
        self._opus.layout = "stereo" if channels == 2 else "mono"

    def _on_fragment(self, payload: bytes, levels: Levels, _properties: dict[str, str]) -> None:
        if self._opus is None or levels["session"] != self._session:
            return
        try:
            packet = av.Packet(payload[FragmentHeader.parse(payload).offset :])
            for decoded in self._opus.decode(packet):
                self._take(decoded)
        except (CmafError, av.FFmpegError) as error:
            self._media.drop(FRAGMENT, str(error))

    def _take(self, decoded: av.AudioFrame) -> None:
        decoded.pts = None
        for frame in self._resampler.resample(decoded):
            self.heard_at = time.monotonic()
            # A plane may be longer than its samples.
            self._heard(bytes(frame.planes[0])[: frame.samples * 2])
