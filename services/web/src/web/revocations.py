"""Ends WebRTC sessions whose sign-in has ended: `webrtc` says by which they were begun.

What is on the bus outlives a restart of web, and any replica may judge it.
"""

import asyncio
import contextlib

from bus import Bus, BusError, Nobody
from bus.messages import WebrtcGrants, WebrtcRevoke
from bus.topics import WEBRTC_GRANTS, WEBRTC_REVOKE

from .identities import Identities


class Revocations:
    """Judges the grants that `webrtc` names, whenever they or the users may have changed."""

    def __init__(self, bus: Bus, identities: Identities) -> None:
        self._bus = bus
        self._identities = identities
        self._grants: list[str] = []
        self._called = asyncio.Event()
        identities.on_review = self._called.set
        bus.subscribe(WEBRTC_GRANTS, lambda said, _levels: self._take(said))

    async def run(self) -> None:
        """Revoke until cancelled; what could not be said is said at the next look."""
        while True:
            await self._called.wait()
            self._called.clear()
            for grant in [one for one in self._grants if self._identities.grant_over(one)]:
                with contextlib.suppress(BusError):
                    await self._revoke(grant)

    async def _revoke(self, grant: str) -> None:
        with contextlib.suppress(Nobody):
            await self._bus.publish(WEBRTC_REVOKE, WebrtcRevoke(grant=grant))
        with contextlib.suppress(ValueError):
            self._grants.remove(grant)

    def _take(self, said: WebrtcGrants) -> None:
        self._grants = list(said.grants)
        self._called.set()
