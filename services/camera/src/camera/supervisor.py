"""Keeps a source going: judged by what it delivers, started again with growing pauses."""

import asyncio
from collections.abc import Awaitable, Callable

from media.clock import boottime

from .delays import Rhythm
from .settings import Camera
from .source import SourceError

_MISSED = 3
"""Pictures that a slow source has to miss before it has stalled."""


class Watch:
    """Knows when the source last gave something, and when its patience ends."""

    def __init__(self, camera: Camera, what: str) -> None:
        self._camera = camera
        self._what = what
        self._first: float | None = None
        self._last = boottime()
        self._resting = False
        self._rhythm = Rhythm(5)

    @property
    def stall_timeout(self) -> float:
        """Seconds without anything after which the source has stalled."""
        return self._camera.stall_timeout

    def rest(self) -> None:
        """Nothing is expected until `wake`."""
        self._resting = True

    def wake(self) -> None:
        """The source starts now."""
        self._resting = False
        self._last = boottime()

    def alive(self) -> None:
        """The source works, though it gave nothing yet."""
        self._last = boottime()

    def delivered(self) -> None:
        """The source gave something."""
        last, self._last = self._last, boottime()
        if self._first is None:
            self._first = self._last
        else:
            self._rhythm.add(self._last - last)

    @property
    def patience(self) -> float:
        """Seconds that are left to the source."""
        camera = self._camera
        if self._resting:
            return camera.stall_timeout
        return self._last + self._limit - boottime()

    @property
    def _limit(self) -> float:
        """Seconds: a foreign source may be slow by nature, with one picture in 5 s, say."""
        camera = self._camera
        usual = self._rhythm.usual
        if self._first is None or (camera.driver == "url" and usual is None):
            return camera.start_timeout
        slow = camera.driver == "url" and usual is not None
        return max(camera.stall_timeout, _MISSED * (usual or 0.0)) if slow else camera.stall_timeout

    @property
    def complaint(self) -> str:
        """What is wrong once patience has ended."""
        if self._first:
            return f"no {self._what} for {self._limit:.3g} s"
        return f"no first {self._what} within {self._camera.start_timeout:g} s"

    @property
    def good(self) -> bool:
        """Whether it delivered long enough for its past troubles to be forgotten."""
        return self._first is not None and self._last - self._first >= self._camera.good_run


Attempt = Callable[[Watch], Awaitable[None]]


async def watched(attempt: Attempt, watch: Watch) -> str | None:
    """Run one attempt until it ends or its patience does; why it failed, None if it did not."""
    task = asyncio.ensure_future(attempt(watch))
    stall = watch.stall_timeout
    try:
        while not task.done():
            if watch.patience <= 0:
                return watch.complaint
            # Looked at again early: the first frame shortens the patience that is left.
            await asyncio.wait((task,), timeout=min(watch.patience, stall / 4))
        error = task.exception()
    finally:
        task.cancel()
        await asyncio.wait((task,))
    if error is None or isinstance(error, SourceError):
        return str(error) if error else None
    raise error


async def supervise(
    camera: Camera, attempt: Attempt, what: str, failed: Callable[[str], None]
) -> None:
    """Attempt for ever; `failed` hears why each attempt ended, before the pause that follows."""
    pause = camera.backoff_min
    while True:
        watch = Watch(camera, what)
        error = await watched(attempt, watch)
        if watch.good or error is None:
            pause = camera.backoff_min
        if error is not None:
            failed(error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, camera.backoff_max)
