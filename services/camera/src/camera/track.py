"""Tracks on the bus: a header for each session, and a fragment for each picture or packet."""

import logging
import secrets
from collections.abc import Callable

from bus.media import MediaConnection
from media import cmaf
from media.clock import AUDIO_TIMESCALE, VIDEO_TIMESCALE, ticks, to_wall
from media.h264 import ParameterSets, Sps, length_prefixed, slices, without_reordering

from .source import AccessUnit

log = logging.getLogger(__name__)

_LEAST_RATE, _MOST_RATE = 0.5, 120.0
"""Pictures a second that can be meant; some encoders write their clock instead."""


class _Line:
    """What both kinds of track share: a session, its count, and time that only goes forward."""

    def __init__(self, media: MediaConnection, camera: str, track: str, number: int) -> None:
        self._media = media
        self._camera = camera
        self._track = track
        self._number = number
        self._session = ""
        self._seq = 0
        self._tfdt = 0

    def announce(self, header: bytes, codecs: str, width: int | None, height: int | None) -> None:
        self._session = secrets.token_hex(4)
        self._seq = 0
        self._media.publish_init(
            self._camera,
            self._track,
            header,
            session=self._session,
            codecs=codecs,
            width=width,
            height=height,
        )

    def send(self, data: bytes, capture: float, duration: int, key: bool, timescale: int) -> bool:
        # Strictly forward over restarts too: a step back stops players for good.
        self._tfdt = max(self._tfdt + 1, ticks(capture, timescale))
        self._seq += 1
        fragment = cmaf.fragment(
            self._number, self._seq, self._tfdt, duration, to_wall(capture), data, key
        )
        return self._media.publish_fragment(self._camera, self._track, self._session, fragment, key)


class VideoTrack:
    """Publishes access units; a session begins with a key frame and new parameter sets.

    The parameter sets are made to say that nothing is reordered: every driver proves that before
    it delivers, and decoders would else hold frames back. The slices stay untouched.
    """

    def __init__(self, media: MediaConnection, camera: str, changed: Callable[[Sps], None]) -> None:
        self._line = _Line(media, camera, "video", cmaf.VIDEO_TRACK)
        self._changed = changed
        self._sets: tuple[list[bytes], list[bytes]] = ([], [])
        self._seen = ParameterSets()
        self._duration = 0
        self._running = False

    def begin(self, fps: float) -> None:
        """A new encoder: a new session, which waits for its first key frame."""
        self._running = False
        self._seen = ParameterSets()
        self._duration = max(1, round(VIDEO_TIMESCALE / fps))

    def take(self, unit: AccessUnit) -> int:
        """Publish one picture; its size in bytes, 0 when it came before the first key frame.

        A unit that is no picture but only brings parameter sets has the size 0, too.
        """
        self._seen.take(unit.nals)
        if unit.key and (sets := self._seen.of(unit.nals)):
            self._renew(*sets)
        data = length_prefixed(slices(unit.nals))
        if not self._running or not data:
            return 0
        self._line.send(data, unit.capture, self._duration, unit.key, VIDEO_TIMESCALE)
        return len(data)

    def _renew(self, sps: list[bytes], pps: list[bytes]) -> None:
        if self._running and self._sets == (sps, pps):
            return
        self._sets = (sps, pps)
        patched = [without_reordering(nal) for nal in sps]
        about = Sps.parse(patched[0])
        header = cmaf.video_init(patched[0], pps[0], *patched[1:], *pps[1:])
        self._line.announce(header, about.codec, about.width, about.height)
        self._running = True
        rate = about.frame_rate
        if rate and _LEAST_RATE <= rate <= _MOST_RATE:
            # A foreign stream knows its own rate, which is not the configured one.
            self._duration = round(VIDEO_TIMESCALE / rate)
        self._changed(about)


class SoundTrack:
    """Publishes Opus packets of 20 ms, each of which a decoder can start with."""

    def __init__(self, media: MediaConnection, camera: str) -> None:
        self._line = _Line(media, camera, "audio", cmaf.AUDIO_TRACK)
        self._withdraw: Callable[[], None] = lambda: media.clear_init(camera, "audio")

    def begin(self, pre_skip: int) -> None:
        """A new encoder: a new session. pre_skip: samples, from the encoder's header."""
        header = cmaf.opus_init(1, pre_skip)
        self._line.announce(header, "opus", None, None)

    def take(self, packet: bytes, capture: float) -> None:
        """Publish one packet, captured at boot seconds."""
        self._line.send(packet, capture, AUDIO_TIMESCALE // 50, True, AUDIO_TIMESCALE)

    def withdraw(self) -> None:
        """The camera has no sound (any more)."""
        self._withdraw()
