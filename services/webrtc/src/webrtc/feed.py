"""One camera on its way from the bus to its viewers, heard only while there are some."""

import asyncio
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Protocol

from bus.each import tell_each
from bus.media import MediaConnection
from bus.topics import FRAGMENT, INIT, Levels
from media.arrival import Arrivals, GroupOfPictures
from media.clock import AUDIO_TIMESCALE, VIDEO_TIMESCALE
from media.cmaf import CmafError, FragmentHeader, Init
from media.h264 import H264Error, split_length_prefixed

from .packets import access_unit, payloads
from .settings import Webrtc
from .timeline import Timeline

REPLAY_STEP = 90
"""Ticks between two pictures of a replayed group: 1 ms, so that a player hurries through it."""
LEAP = 3600 * VIDEO_TIMESCALE
"""Ticks after which a player would take the next picture for an old one, and so far from half of
the range of RTP timestamps."""


class Viewer(Protocol):
    """What a feed knows of those who watch."""

    audio: bool

    def video(self, payloads: list[bytes], timestamp: int, key: bool) -> None:
        """The next picture."""

    def sound(self, packet: bytes, timestamp: int) -> None:
        """The next packet of sound."""

    def restart(self) -> None:
        """What comes next does not continue what has come."""

    def end(self, reason: str) -> None:
        """The timeline has broken: only a new session helps."""


class Feed:
    """Judges each fragment, cuts it into payloads once, and hands them to every viewer."""

    def __init__(self, name: str, media: MediaConnection, settings: Webrtc) -> None:
        self.name = name
        self.viewers: set[Viewer] = set()
        self.users = 0
        self.timelines = {"video": Timeline(VIDEO_TIMESCALE), "audio": Timeline(AUDIO_TIMESCALE)}
        self._media = media
        self._linger = settings.linger
        self._headers: dict[str, tuple[str, Init]] = {}
        self._arrived = asyncio.Event()
        self._arrivals = Arrivals(settings.late)
        self._group = GroupOfPictures()
        self._last: int | None = None
        self._until = 0.0
        self._heard: dict[str, Callable[[], None]] = {}

    @property
    def wanted(self) -> bool:
        """Whether somebody watches, is about to, or did a moment ago."""
        return self.users > 0 or monotonic() < self._until

    @property
    def has_audio(self) -> bool:
        """Whether there is Opus beside the picture."""
        _, audio = self._headers.get("audio", ("", None))
        return audio is not None and audio.codecs == "opus"

    async def header(self, seconds: float) -> Init:
        """What the video is; TimeoutError when the camera has not said it in time."""
        async with asyncio.timeout(seconds):
            while "video" not in self._headers:
                self._arrived.clear()
                await self._arrived.wait()
        return self._headers["video"][1]

    def acquire(self) -> None:
        """Somebody is about to watch: have the group of pictures ready."""
        self.users += 1
        self.listen()

    def release(self) -> None:
        """Somebody has left."""
        self.users -= 1
        self.warm(self._linger)

    def warm(self, seconds: float) -> None:
        """Somebody may come: hear the camera for a while."""
        self._until = max(self._until, monotonic() + seconds)
        self.listen()

    def join(self, viewer: Viewer) -> None:
        """Begin to send: the group as far as it has come, in a hurry, and then what comes."""
        for made, timestamp, key in self._replay():
            viewer.video(made, timestamp, key)
        self.viewers.add(viewer)
        self.listen()

    def leave(self, viewer: Viewer) -> None:
        """Send no more."""
        self.viewers.discard(viewer)
        self.listen()

    def listen(self) -> None:
        """Hear exactly the tracks that are wanted at this moment."""
        wanted = {"video"} if self.wanted else set()
        if any(viewer.audio for viewer in self.viewers):
            wanted.add("audio")
        for track in wanted - self._heard.keys():
            self._heard[track] = self._media.subscribe(
                FRAGMENT, self._receive, camera=self.name, track=track
            )
        for track in self._heard.keys() - wanted:
            self._heard.pop(track)()
            if track == "video":
                self._interrupt()
                self._arrivals.reset()
                # However long it is until the next picture: that is no leap of the camera's clock.
                self._last = None

    def take_init(self, track: str, init: bytes, session: str) -> None:
        """A header has come; a new one begins a new session. Empty: there is no such track."""
        if track not in self.timelines:
            return
        if not init:
            self._headers.pop(track, None)
            return
        try:
            new = session, Init.parse(init)
        except CmafError as error:
            self._media.drop(INIT, str(error))
            return
        if self._headers.get(track) == new:
            return
        self._headers[track] = new
        self._arrived.set()
        if track == "video":
            self._arrivals.reset()
            self._interrupt()

    def _receive(self, data: bytes, levels: Levels, _properties: dict[str, str]) -> None:
        track = levels["track"]
        session, init = self._headers.get(track, ("", None))
        if init is None or session != levels["session"]:
            return
        try:
            header = FragmentHeader.parse(data)
        except CmafError as error:
            self._media.drop(FRAGMENT, str(error))
            return
        self.timelines[track].note(header)
        if track == "video":
            self._video(data, header, init)
            return
        packet = data[header.offset :]
        listeners = [viewer for viewer in self.viewers if viewer.audio]
        tell_each(listeners, lambda viewer: viewer.sound(packet, header.tfdt), fail)

    def _video(self, data: bytes, header: FragmentHeader, init: Init) -> None:
        if not self._arrivals.observe(header, monotonic()):
            self._interrupt()
            return
        try:
            made = picture(data, header, init)
        except H264Error as error:
            self._media.drop(FRAGMENT, str(error))
            self._interrupt()
            return
        if self._last is not None and not 0 < header.tfdt - self._last < LEAP:
            tell_each(self.viewers, lambda v: v.end("the camera's clock began anew"), fail)
        self._last = header.tfdt
        self._group.add(data, header.key)
        tell_each(self.viewers, lambda v: v.video(made, header.tfdt, header.key), fail)

    def _replay(self) -> Iterator[tuple[list[bytes], int, bool]]:
        """The group, its pictures just before the newest one: a player takes times for a rhythm."""
        _, init = self._headers.get("video", ("", None))
        frames = self._group.frames
        if init is None or self._last is None:
            return
        for index, data in enumerate(frames):
            header = FragmentHeader.parse(data)
            timestamp = self._last - REPLAY_STEP * (len(frames) - 1 - index)
            yield picture(data, header, init), timestamp, header.key

    def _interrupt(self) -> None:
        self._group.clear()
        tell_each(self.viewers, lambda viewer: viewer.restart(), fail)


def fail(viewer: Viewer) -> None:
    """Let go of a viewer with whom something went wrong here."""
    viewer.end("an error on the station")


def picture(data: bytes, header: FragmentHeader, init: Init) -> list[bytes]:
    """The payloads of one fragment; H264Error when it holds no NAL units."""
    nals = split_length_prefixed(data[header.offset :])
    if not all(nals):
        raise H264Error("an empty NAL unit")
    return payloads(access_unit(nals, header.key, list(init.parameter_sets)))
