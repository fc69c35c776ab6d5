"""A camera as it comes from the bus."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from bus.media import MediaConnection
from bus.topics import FRAGMENT, INIT, Levels
from media.arrival import Arrivals
from media.cmaf import CmafError, FragmentHeader, Init

from .target import Headers

Sink = Callable[[FragmentHeader, bytes], None]


class Feed:
    """Keeps the headers of a camera's tracks, and hears its fragments inside `listening`.

    What is late or follows a gap is dropped to the next key frame. `sound` false leaves audio away.
    """

    def __init__(self, media: MediaConnection, camera: str, *, sound: bool, behind: float) -> None:
        self.last_picture = 0.0
        """When the last usable picture came; monotonic seconds."""
        self.sink: Sink | None = None
        self._media = media
        self._camera = camera
        self._tracks = ("video", "audio") if sound else ("video",)
        self._headers: dict[str, bytes] = {}
        self._sessions: dict[str, str] = {}
        self._arrivals = Arrivals(behind)
        self._picture = asyncio.Event()
        for track in self._tracks:
            media.subscribe(INIT, self._on_init, camera=camera, track=track)

    @property
    def headers(self) -> Headers | None:
        """The headers as they are now; None without video."""
        if video := self._headers.get("video"):
            return Headers(video, self._headers.get("audio"))
        return None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear the fragments; the sink gets what is usable."""
        self._picture.clear()
        self._arrivals.reset()
        stops = [
            self._media.subscribe(FRAGMENT, self._on_fragment, camera=self._camera, track=track)
            for track in self._tracks
        ]
        try:
            yield
        finally:
            self.sink = None
            for stop in stops:
                stop()

    async def picture(self) -> None:
        """Wait for the first usable picture since `listening` began."""
        await self._picture.wait()

    def _on_init(self, payload: bytes, levels: Levels, properties: dict[str, str]) -> None:
        track = levels["track"]
        if not payload:
            self._headers.pop(track, None)
            return
        try:
            Init.parse(payload)
        except CmafError as error:
            self._media.drop(INIT, str(error))
            return
        self._headers[track] = payload
        self._sessions[track] = properties.get("session", "")
        if track == "video":
            self._arrivals.reset()

    def _on_fragment(self, payload: bytes, levels: Levels, _properties: dict[str, str]) -> None:
        track = levels["track"]
        if levels["session"] != self._sessions.get(track):
            return
        try:
            header = FragmentHeader.parse(payload)
        except CmafError as error:
            self._media.drop(FRAGMENT, str(error))
            return
        if track == "video":
            if not self._arrivals.observe(header, monotonic()):
                return
            self.last_picture = monotonic()
            self._picture.set()
        if self.sink:
            self.sink(header, payload)
