"""From the bus to the disk: a batch at a time, acknowledged when it is written."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from bus import Bus, Levels, Message, Topic, sqlite_file, wall_clock
from bus.connection import Session
from bus.intake import Intake
from bus.messages import BootTime
from bus.points import METRICS, Point, point
from bus.rights import BRIDGED

from . import placing, retention
from .repair import Repair
from .settings import History, Settings
from .store import Heard, Store

T = TypeVar("T")
AHEAD = 3600.0
"""Seconds that a reading may be ahead of this machine's clock."""
INTEGERS = range(-(2**63), 2**63)
"""What SQLite and InfluxDB can keep."""
AGAIN = 5.0
"""Seconds after which a disk that took nothing is tried again, at most."""
DISK = "disk"
"""The part of this service that may have a problem."""
TOO_MANY = "{} readings of further topics are not kept: more than history.series"


class Recorder:
    """Takes every metric of the contract; one thread has the database."""

    def __init__(self, bus: Bus, settings: Settings) -> None:
        history = settings.history
        self._bus = bus
        self._settings: History = history
        self._store = Store(settings.state_dir, history.series)
        session = Session(history.session, history.waiting)
        kept = BRIDGED if history.hub else METRICS
        self._intake = Intake(bus, settings, kept, self._take, session, everywhere=history.hub)
        self._thread = ThreadPoolExecutor(1, "sqlite")
        self._repair = Repair(bus, self._store, self._in_thread, self._damaged)
        self._pending: list[Heard] = []
        self._full = asyncio.Event()
        self._is_open = False
        self._tidied = float("-inf")
        self._lost = 0

    async def run(self) -> None:
        """Hear and write until cancelled; then write what is left."""
        async with asyncio.TaskGroup() as group:
            await self._try(self._tend)
            # Its task ends after what is below has written and acknowledged the last batch.
            group.create_task(self._intake.run())
            repair = group.create_task(self._repair.run())
            try:
                while True:
                    await self._wait()
                    await self._try(self._tend)
            finally:
                repair.cancel()
                await self._try(self._flush)
                await self._in_thread(self._store.close)

    async def ask(self, question: Callable[[Store], T]) -> T:
        """Let the store answer, of everything that has been heard; raises what it raises."""
        points, self._pending = self._pending, []
        try:
            # Cancelled while it waits for its turn, it would take the points with it.
            await asyncio.shield(self._in_thread(self._store.add, points))
        except sqlite3.Error:
            self._pending = points + self._pending
            raise
        return await self._in_thread(question, self._store)

    def _take(self, topic: Topic[Any], levels: Levels, message: Message) -> None:
        taken = point(topic, levels, message)
        boot_time: BootTime | None = getattr(message, "boot_time", None)
        if why := self._unfit(taken, boot_time):
            self._intake.drop(topic, why)
        elif self._store.unwritten + len(self._pending) >= 2 * self._settings.waiting:
            self._lost += 1
        else:
            interval: float | None = getattr(message, "interval", None)
            self._pending.append(Heard(taken, interval, boot_time))
            if self._store.unwritten + len(self._pending) >= self._settings.waiting // 2:
                self._full.set()

    def _unfit(self, taken: Point, boot_time: BootTime | None) -> str | None:
        now = wall_clock.now()
        believed = boot_time is None and wall_clock.CLOCK.state != "unset"
        if believed and taken.moment > (now + AHEAD) * 1000:
            return "its time is in the future"
        old = taken.moment < (now - self._settings.days * retention.DAY) * 1000
        if believed and old and wall_clock.CLOCK.may_expire():
            return "it is older than what is kept (history.days)"
        if any(type(v) is int and v not in INTEGERS for v in taken.fields.values()):
            return "a number of more than 64 bits"
        return None

    async def _wait(self) -> None:
        """Until the next batch is due: by time or by its size, or the disk may take it again."""
        in_trouble = DISK in self._bus.problems
        seconds = min(AGAIN, self._settings.flush) if in_trouble else self._settings.flush
        self._full.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._full.wait()

    async def _tend(self) -> None:
        """Open the file if it is not, write what waits, and tidy up when that is due."""
        if not self._is_open:
            await self._in_thread(self._store.open)
            self._is_open = True
            known, newest = await self._in_thread(self._store.ends)
            wall_clock.CLOCK.saw(known, newest)
            self._repair.opened()
        await self._flush()
        await self._in_thread(placing.settle, self._store)
        if time.monotonic() - self._tidied >= self._settings.tidy:
            await self._in_thread(retention.tidy, self._store, self._settings)
            self._tidied = time.monotonic()

    async def _flush(self) -> None:
        acknowledge = self._intake.mark()
        await self.ask(Store.flush)
        acknowledge()

    async def _try(self, action: Callable[[], Awaitable[None]]) -> None:
        """Do it, or say what is wrong with the disk."""
        try:
            await action()
        except (sqlite3.Error, OSError) as error:
            waiting = self._store.unwritten + len(self._pending)
            lost = f", {self._lost} are lost" if self._lost else ""
            text = f"{self._store.path}: {error}; {waiting} readings wait for it{lost}"
            self._bus.problem(DISK, text)
            self._repair.failed()
            if sqlite_file.is_damaged(error):
                await self._damaged(error)
        else:
            self._repair.works()
            refused = self._store.refused
            self._bus.problem(DISK, None)
            self._bus.problem("series", TOO_MANY.format(refused) if refused else None)

    async def _damaged(self, error: Exception) -> None:
        """Move the file aside and begin anew; the broker repeats what was in memory only."""
        if not self._is_open:
            return
        self._is_open = False
        await self._in_thread(self._store.put_aside, error)
        self._intake.again()
        self._full.set()

    async def _in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
