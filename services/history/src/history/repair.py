"""The file checked after an unclean end or an error, and what a damaged one still holds."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from bus import Bus, sqlite_file
from bus.sqlite_file import DamagedError

from .store import Store

log = logging.getLogger(__name__)

FILE = "file"
"""The part of this service that is about damaged files."""

InThread = Callable[..., Awaitable[Any]]


class Repair:
    """Works beside the recorder, which goes on meanwhile.

    `in_thread` runs a method of the store; `on_damage` lets go of the file and begins anew.
    """

    def __init__(
        self,
        bus: Bus,
        store: Store,
        in_thread: InThread,
        on_damage: Callable[[sqlite3.Error], Awaitable[None]],
    ) -> None:
        self._bus = bus
        self._store = store
        self._in_thread = in_thread
        self._on_damage = on_damage
        self._wanted = asyncio.Event()
        self._doubt = False

    def opened(self) -> None:
        """The file is open: say what lies beside it, and do what there is to do."""
        self._doubt = self._doubt or self._store.was_cut_off
        if beside := sqlite_file.asides(self._store.path.parent):
            names = ", ".join(path.name for path in beside)
            self._bus.problem(FILE, f"damaged before: {names}; remove what you need no more")
        self._wanted.set()

    def failed(self) -> None:
        """Something went wrong with the disk: once it works again, the file is to be checked."""
        self._doubt = True

    def works(self) -> None:
        """The disk takes things."""
        if self._doubt:
            self._wanted.set()

    async def run(self) -> None:
        """Check and bring over, whenever there is a reason, until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                if self._store.aside:
                    await self._bring_over(self._store.aside)
                    self._store.aside = None
                if self._doubt:
                    self._doubt = False
                    await self._check()
            except (sqlite3.Error, OSError) as error:
                log.warning("%s: %s", self._store.path, error)

    async def _check(self) -> None:
        log.info("%s: checking it, since it was not closed or not well", self._store.path)
        if why := await sqlite_file.check(self._store.path):
            await self._on_damage(DamagedError(why))
        else:
            log.info("%s: it is whole", self._store.path)

    async def _bring_over(self, aside: Path) -> None:
        """Everything that can be read of a damaged file, as long as it is not there already."""
        count = 0
        with contextlib.closing(sqlite_file.damaged(aside)) as source:
            for table in self._store.tables:
                there = set(await self._in_thread(self._store.columns, table))
                names = [name for name in sqlite_file.columns(source, table) if name in there]
                if not names:
                    continue
                rows = sqlite_file.readable(source, table, names, ("series", "moment"))
                while batch := await asyncio.to_thread(next, rows, None):
                    count += await self._in_thread(self._store.bring, table, names, batch)
        text = f"a damaged file is now {aside.name}; {count} rows of it could be brought over"
        self._bus.problem(FILE, text)
