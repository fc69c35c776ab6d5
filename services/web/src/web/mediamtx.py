"""MediaMTX as this service sees it: what its control API says of each camera's path.

The API and whatever is taken from MediaMTX for the page is asked for in this service's own name,
with a password that is made anew at each start: MediaMTX brings it back here to have it judged
(`mediamtx_auth`), so that nobody else has to know one.
"""

import asyncio
import contextlib
import logging
import math
import secrets
from collections.abc import Callable, Collection
from typing import Any

import httpx

from .settings import Mediamtx as Options

log = logging.getLogger(__name__)

USER = "web"
VIDEO = "H264"
MOST = 4096
"""Sessions whose end is kept in mind; beyond them the oldest is ended: most of them are gone."""


class Mediamtx:
    """Knows the tracks of each path, by asking again and again."""

    def __init__(self, options: Options, cameras: Collection[str]) -> None:
        # httpx logs each address at INFO, sessions included.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self.options = options
        self.password = options.web_password.get_secret_value() or secrets.token_hex(16)
        self.tracks: dict[str, list[str]] = {}
        self.trouble: str | None = "MediaMTX has not been asked yet"
        self.on_change: Callable[[], None] = lambda: None
        limits = httpx.Limits(max_connections=None)
        self.http = httpx.AsyncClient(
            auth=(USER, self.password), timeout=options.timeout, limits=limits, trust_env=False
        )
        self._cameras = cameras
        self._endings: dict[str, tuple[asyncio.TimerHandle, Callable[[], None]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Ask until cancelled."""
        try:
            while True:
                for camera in list(self._cameras):
                    before = self.why_not(camera)
                    await self._ask(camera)
                    if self.why_not(camera) != before:
                        self.on_change()
                await asyncio.sleep(self.options.interval)
        finally:
            await self.http.aclose()

    def why_not(self, camera: str) -> str | None:
        """Why the picture of a camera cannot be had; None when it can."""
        if self.trouble:
            return self.trouble
        if VIDEO in self.tracks.get(camera, []):
            return None
        return f"nobody pushes {camera}_camera to MediaMTX: is its relay running?"

    def end_after(
        self, seconds: float, session: str, release: Callable[[], None] = lambda: None
    ) -> None:
        """Let go of a WHEP session, named by its URL, when its viewer's sign-in ends.

        release: called when the session has ended, however it did.
        """
        if seconds == math.inf:
            release()
            return
        timer = asyncio.get_running_loop().call_later(seconds, self.end, session)
        self._endings[session] = timer, release
        if len(self._endings) > MOST:
            self.end(next(iter(self._endings)))

    def forget(self, session: str) -> None:
        """That session has ended."""
        if known := self._endings.pop(session, None):
            timer, release = known
            timer.cancel()
            release()

    def end(self, session: str) -> None:
        """End a session."""
        self.forget(session)
        task = asyncio.create_task(self._delete(session))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _delete(self, session: str) -> None:
        with contextlib.suppress(httpx.HTTPError):
            await self.http.delete(session)

    async def _ask(self, camera: str) -> None:
        url = f"{self.options.api}/v3/paths/get/{camera}_camera"
        try:
            answer = await self.http.get(url)
            known = answer.status_code != httpx.codes.NOT_FOUND
            self.tracks[camera] = tracks(answer.raise_for_status().json()) if known else []
            trouble = None
        except httpx.HTTPStatusError as error:
            trouble = f"MediaMTX's control API answers {error.response.status_code}"
        except httpx.HTTPError as error:
            trouble = f"MediaMTX's control API: {str(error) or type(error).__name__}"
        except ValueError as error:
            trouble = f"MediaMTX's control API: {error}"
        if trouble != self.trouble and trouble:
            log.warning("%s", trouble)
        self.trouble = trouble


def tracks(path: Any) -> list[str]:
    """The codecs of a path (`/v3/paths/get/<name>`), such as H264 and Opus.

    Present versions have `tracks2`, a list of objects, older ones `tracks`, a list of names. Keys
    may be missing or null where nobody publishes. ValueError for what is no path.
    """
    if not isinstance(path, dict):
        raise ValueError("that is no path")
    found: list[str] = []
    for track in path.get("tracks2") or path.get("tracks") or []:
        name = track.get("codec") if isinstance(track, dict) else track
        if isinstance(name, str):
            found.append(name)
    return found
