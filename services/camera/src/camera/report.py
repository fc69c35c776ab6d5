"""The status of a camera: what is known, and its publication on change and by the clock."""

import asyncio
import contextlib
import logging
from typing import Any

from bus import Bus, BusError, wall_clock
from bus.media import MediaConnection
from bus.messages import CameraStatus
from bus.repeat import repeat
from bus.topics import CAMERA_STATUS

from .meter import Meter
from .settings import Camera

log = logging.getLogger(__name__)

_SLOW_KEYS = 2.0
"""Seconds between key frames above which joining, and coming back after a loss, get slow."""
_LONGEST = 500
_LAST_WORD = 0.5
"""Seconds for the last status: a broker that hangs must not hold up the end."""


class Report:
    """Everything that `CameraStatus` says; a change goes out at once."""

    def __init__(self, bus: Bus, media: MediaConnection, camera: Camera, name: str) -> None:
        self.meter = Meter()
        self._bus = bus
        self._media = media
        self._camera = camera
        self._name = name
        self._changed = asyncio.Event()
        self._facts: dict[str, Any] = {"state": "starting", "driver": camera.driver, "restarts": 0}
        self._facts["title"] = camera.title or None
        self._warnings: dict[str, str | None] = {}

    def say(self, **facts: Any) -> None:
        """Change fields of the status."""
        if any(self._facts.get(key) != value for key, value in facts.items()):
            self._facts.update(facts)
            self._changed.set()

    def warn(self, part: str, text: str | None) -> None:
        """Say what is not as wished, or with None that it is well again."""
        if self._warnings.get(part) != text:
            self._warnings[part] = text
            self._changed.set()

    def restarted(self) -> None:
        """Count a restart of the encoder."""
        self.say(restarts=self._facts["restarts"] + 1)

    async def run(self) -> None:
        """Publish until cancelled; then that the camera has stopped."""
        try:
            await repeat(self._publish, self._changed, self._camera.status_interval)
        finally:
            self.say(state="stopped")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LAST_WORD):
                    await self._publish()

    async def _publish(self) -> None:
        try:
            await self._bus.publish(CAMERA_STATUS, self.status(), camera=self._name)
        except BusError as error:
            log.warning("the status was not taken: %s", error)

    def status(self) -> CameraStatus:
        """The status as it is now."""
        meter = self.meter
        streaming = self._facts["state"] == "streaming"
        interval = meter.key_interval if streaming else None
        slow = interval is not None and interval > _SLOW_KEYS
        self._warnings["keys"] = f"key frames come only every {interval:.1f} s" if slow else None
        warnings = "; ".join(text for text in self._warnings.values() if text)
        return CameraStatus(
            timestamp=wall_clock.now(),
            interval=self._camera.status_interval,
            fps=_rounded(meter.fps) if streaming else None,
            bitrate_kbps=_rounded(meter.kbps) if streaming else None,
            # Pictures that come in a burst: their interval rounds to zero, which is none.
            key_interval=_rounded(interval) or None,
            last_frame_at=meter.last_frame,
            dropped=self._media.dropped,
            warning=warnings[:_LONGEST] or None,
            **self._facts,
        )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
