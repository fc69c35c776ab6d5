"""On a hub: a page for every station that has been heard of, and a list of them."""

import asyncio
import logging
from time import monotonic
from typing import Any

from bus import Bus, wall_clock
from bus.messages import ServiceStatus
from bus.topics import CAMERA_STATUS, CLIMATE, CPU, SERVICE_STATUS, Levels
from fastapi import FastAPI
from starlette.responses import RedirectResponse
from starlette.types import Receive, Scope, Send

from .app import make_app
from .identities import Identities
from .readings import LOST_AFTER, stale
from .settings import Settings
from .station import Station
from .trouble import degraded

log = logging.getLogger(__name__)

PREFIX = "/stations/"


class Stations:
    """The application of a hub: the hub's own, and below /stations/<station>/ that of each.

    They share the connections and the way to sign in.
    """

    def __init__(self, bus: Bus, settings: Settings, identities: Identities) -> None:
        self.known: dict[str, Station] = {}
        self._bus = bus
        self._settings = settings
        self._identities = identities
        self._heard: dict[str, float] = {}
        self._new: asyncio.Queue[Station] = asyncio.Queue()
        self._apps: dict[str, FastAPI] = {}
        self.home = Station(bus, settings)
        self._home = make_app(self.home, settings, self._identities)
        self._home.state.stations = self
        bus.subscribe(SERVICE_STATUS, self._take_status, station="+")

    async def run(self) -> None:
        """Keep the hub and every station alive until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.home.run())
            while True:
                group.create_task((await self._new.get()).run())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        name, slash, _ = path.removeprefix(PREFIX).partition("/")
        if not path.startswith(PREFIX) or (app := self._apps.get(name)) is None:
            await self._home(scope, receive, send)
        elif slash or scope["type"] != "http":
            below = scope.get("root_path", "") + PREFIX + name
            await app({**scope, "root_path": below}, receive, send)
        else:
            await RedirectResponse(f"{name}/", 308)(scope, receive, send)

    def describe(self) -> list[dict[str, Any]]:
        """Every station with its health, by name."""
        return [self._describe(name) for name in sorted(self.known)]

    def _describe(self, name: str) -> dict[str, Any]:
        station = self.known[name]
        silent = self._silence(name)
        lost = silent > LOST_AFTER
        wrong = [] if lost else degraded(station.readings, station.pulse)
        air, cpu = station.readings.get(CLIMATE), station.readings.get(CPU)
        air = None if air is None or stale(air, CLIMATE.every) else air
        cpu = None if cpu is None or stale(cpu, CPU.every) else cpu
        return {
            "name": name,
            "path": f"stations/{name}/",
            "state": "lost" if lost else "degraded" if wrong else "online",
            "age_seconds": silent,
            "degraded": wrong,
            "cameras": {
                camera: status.state
                for camera, status in station.readings.each(CAMERA_STATUS).items()
            },
            "temperature": air and air.temperature,
            "humidity": air and air.humidity,
            "cpu_temp": cpu and cpu.cpu_temp,
        }

    def _silence(self, name: str) -> float:
        """Seconds since the newest status, by the station's clock or by ours: the worse counts.

        What is retained may be old however late it comes, and a station's clock may be ahead.
        """
        said = self.known[name].readings.each(SERVICE_STATUS).values()
        newest = max((status.timestamp for status in said), default=wall_clock.now())
        return round(max(wall_clock.now() - newest, monotonic() - self._heard[name]), 3)

    def _take_status(self, status: ServiceStatus, levels: Levels) -> None:
        name = levels["station"]
        if name not in self.known:
            if len(self.known) >= self._settings.web.max_stations:
                return
            log.info("station %s: heard of", name)
            station = Station(self._bus, self._settings, name, self.home)
            self.known[name] = station
            self._apps[name] = make_app(station, self._settings, self._identities)
            self._new.put_nowait(station)
        self._heard[name] = monotonic()
