"""Whether the broker answers: a round trip every second, and at once when the connection ends."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Literal

from bus import Bus, BusError, wall_clock

log = logging.getLogger(__name__)

BusState = Literal["connected", "lost", "silent"]


class Pulse:
    """`lost` is no connection; `silent` is one over which no answer comes."""

    def __init__(self, bus: Bus, every: float, patience: float) -> None:
        self.state: BusState = "lost"
        self.since = wall_clock.now()
        self.on_change: list[Callable[[], None]] = []
        self._bus = bus
        self._every = every
        self._patience = patience

    @property
    def well(self) -> bool:
        """Whether the broker is there and answers."""
        return self.state == "connected"

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            self._enter(await self._feel())
            await self._rest()

    async def _rest(self) -> None:
        if not self.well:
            await asyncio.sleep(self._every / 4)
            return
        # A broker that is back within the second was away nevertheless.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._every):
                await self._bus.disconnected()

    async def _feel(self) -> BusState:
        if not self._bus.connected:
            return "lost"
        try:
            async with asyncio.timeout(self._patience):
                await self._bus.echo()
        except TimeoutError:
            return "silent"
        except BusError:
            return "silent" if self._bus.connected else "lost"
        return "connected"

    def _enter(self, state: BusState) -> None:
        if state == self.state:
            return
        log.log(logging.INFO if state == "connected" else logging.WARNING, "the bus is %s", state)
        self.state, self.since = state, wall_clock.now()
        for tell in self.on_change:
            tell()
