"""The status of a relay: what is known, and its publication on change and by the clock."""

import asyncio
import contextlib
import logging
from typing import Any

from bus import Bus, BusError, wall_clock
from bus.messages import RelayStatus
from bus.repeat import repeat
from bus.topics import RELAY_STATUS

from .settings import Relay

log = logging.getLogger(__name__)

_LONGEST = 500
_LAST_WORD = 0.5
"""Seconds for the last status: a broker that hangs must not hold up the end."""


class Report:
    """Everything that `RelayStatus` says; a change goes out at once."""

    def __init__(self, bus: Bus, relay: Relay, name: str, target: str) -> None:
        self.bytes_sent = 0
        self.dropped = 0
        self._bus = bus
        self._relay = relay
        self._name = name
        self._changed = asyncio.Event()
        self._facts: dict[str, Any] = {"state": "starting", "restarts": 0, "error": None}
        self._target = target

    def say(self, **facts: Any) -> None:
        """Change fields of the status."""
        if any(self._facts[key] != value for key, value in facts.items()):
            self._facts.update(facts)
            self._changed.set()

    def restarted(self) -> None:
        """Count one more attempt."""
        self.say(restarts=self._facts["restarts"] + 1)

    async def run(self) -> None:
        """Publish until cancelled; then that the relay has stopped."""
        try:
            await repeat(self._publish, self._changed, self._relay.status_interval)
        finally:
            self.say(state="stopped")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LAST_WORD):
                    await self._publish()

    async def _publish(self) -> None:
        status = RelayStatus(
            timestamp=wall_clock.now(),
            interval=self._relay.status_interval,
            camera=self._relay.camera,
            target=self._target,
            state=self._facts["state"],
            bytes_sent=self.bytes_sent,
            dropped=self.dropped,
            restarts=self._facts["restarts"],
            error=self._facts["error"] and self._facts["error"][:_LONGEST],
        )
        try:
            await self._bus.publish(RELAY_STATUS, status, relay=self._name)
        except BusError as error:
            log.warning("the status was not taken: %s", error)
