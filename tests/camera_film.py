"""Lets a driver film without the service around it."""

import asyncio

from camera.source import AccessUnit, Driver
from conftest import DEADLINE
from media.clock import boottime


class Film:
    """A sink that keeps what comes, and when it came (boot seconds)."""

    def __init__(self, count: int) -> None:
        self.units: list[AccessUnit] = []
        self.arrivals: list[float] = []
        self._count = count
        self._full = asyncio.Event()

    def unit(self, unit: AccessUnit) -> None:
        self.units.append(unit)
        self.arrivals.append(boottime())
        if len(self.units) >= self._count:
            self._full.set()

    def alive(self) -> None:
        pass

    async def full(self) -> None:
        await self._full.wait()


async def film(driver: Driver, count: int) -> Film:
    """So many pictures of the driver; an error of it fails the test."""
    taken = Film(count)
    filming = asyncio.ensure_future(driver.run(taken))
    full = asyncio.ensure_future(taken.full())
    async with asyncio.timeout(DEADLINE):
        await asyncio.wait((filming, full), return_when=asyncio.FIRST_COMPLETED)
    if filming.done():
        filming.result()
    for task in (filming, full):
        task.cancel()
    await asyncio.wait((filming, full))
    # More may have come in the same moment.
    del taken.units[count:], taken.arrivals[count:]
    return taken
