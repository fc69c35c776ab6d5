"""What was said: decided in one place, on disk before anybody is told."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from bus import sqlite_file, wall_clock
from bus.kernel_clock import boot_id
from bus.messages import ChatDelete, ChatHistory, ChatMessage, ChatRefusal, ChatResult, ChatSend

from .bucket import Buckets
from .settings import Chat
from .store import Kept, Row, Store
from .text import clean, clean_name

log = logging.getLogger(__name__)

SHOWN = 50
"""Messages of the history."""
LONGEST = 500
"""Characters of a message, trimmed."""
WAITING = 200
"""Messages that may wait for the disk; more of them are refused."""
UNSTORED = "the station cannot keep messages"

T = TypeVar("T")


class No(Exception):
    """A refusal, with its words."""

    def __init__(self, refusal: ChatRefusal, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.refusal = refusal
        self.wait = wait


class Conversation:
    """The last messages in memory, all that counts in the store.

    `on_message` is told each new message, `on_change` that the history is another one; both are
    called on the event loop, after the disk has it and before its sender is answered.
    """

    def __init__(self, store: Store, settings: Chat) -> None:
        self.trouble: str | None = None
        self.looked = asyncio.Event()
        """Set once the disk has been read, or has refused that."""
        self.on_message: Callable[[ChatMessage], None] = lambda message: None
        self.on_change: Callable[[], None] = lambda: None
        self._store = store
        self._settings = settings
        self._buckets = Buckets(settings.burst, settings.rate)
        self._thread = ThreadPoolExecutor(1, "store")
        self._rows: dict[str, Row] = {}
        self._conversation = ""
        self._last = 0
        self._queue: asyncio.Queue[ChatSend] = asyncio.Queue(WAITING)
        self._underway: dict[str, asyncio.Future[Row]] = {}
        self._check = asyncio.Event()

    @property
    def remark(self) -> str | None:
        """What is to be said of damaged files, in words."""
        return self._store.remark

    def history(self) -> ChatHistory | None:
        """The last messages, oldest first; None while the disk has not been read."""
        if not self._conversation:
            return None
        said = [message for row in self._rows.values() if (message := row.said())]
        return ChatHistory(
            conversation=self._conversation,
            last=self._last,
            messages=said[-SHOWN:],
            timestamp=wall_clock.now(),
        )

    async def say(self, send: ChatSend) -> ChatResult:
        """Accept a message or refuse it with the reason; a repeat gets the same answer."""
        try:
            row = await self._say(send)
        except No as no:
            return refused(send.id, no)
        return ChatResult(id=send.id, accepted=True, said=row.said())

    async def delete(self, order: ChatDelete) -> ChatResult:
        """Take a message back; doing so twice is no mistake."""
        try:
            row = self._rows.get(order.id)
            if row is None:
                raise No("missing", "there is no such message")
            if row.message is not None:
                await self._erase([order.id])
                log.info("%s deleted message %s of %s", order.username, order.id, row.username)
        except No as no:
            return refused(order.id, no)
        return ChatResult(id=order.id, accepted=True)

    async def run(self) -> None:
        """Keep the store open and write what comes, until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._write())
                group.create_task(self._tend())
                group.create_task(self._look_after())
        finally:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._store.close)
            self._thread.shutdown(wait=False)

    async def _say(self, send: ChatSend) -> Row:
        text, name = clean(send.message), clean_name(send.username)
        if not text or not name:
            raise No("empty", "there is nothing in it to read")
        if len(text) > LONGEST:
            raise No("too_long", f"{len(text)} characters, at most {LONGEST} are allowed")
        if known := self._rows.get(send.id):
            return own(known, name)
        if (underway := self._underway.get(send.id)) is None:
            underway = self._enqueue(send.model_copy(update={"message": text, "username": name}))
        return own(await asyncio.shield(underway), name)

    def _enqueue(self, send: ChatSend) -> "asyncio.Future[Row]":
        if self.trouble:
            raise No("unstored", f"{UNSTORED}: {self.trouble}"[:200])
        if self._queue.full():
            raise No("busy", "too many messages wait for the disk", 1)
        if wait := self._buckets.take(send.username, time.monotonic()):
            raise No("too_fast", f"too fast: wait {wait:.1f} s", round(wait, 2))
        future = self._underway[send.id] = asyncio.get_running_loop().create_future()
        # Whoever asked may have gone meanwhile.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._queue.put_nowait(send)
        return future

    async def _write(self) -> None:
        """One commit for all that has come while the last one was synced."""
        while True:
            sends = [await self._queue.get()]
            while not self._queue.empty():
                sends.append(self._queue.get_nowait())
            try:
                rows = await self._on_disk(partial(self._store.add, sends))
            except No as no:
                for send in sends:
                    self._buckets.give_back(send.username)
                    self._underway.pop(send.id).set_exception(no)
                continue
            for row in rows:
                self._take(row)
            self.on_change()

    def _take(self, row: Row) -> None:
        self._rows[row.id] = row
        self._last = row.number
        while len(self._rows) > self._settings.remembered:
            del self._rows[next(iter(self._rows))]
        if message := row.said():
            self.on_message(message)
        self._underway.pop(row.id).set_result(row)

    async def _erase(self, ids: list[str]) -> None:
        await self._on_disk(partial(self._store.erase, ids))
        for one in ids:
            if one in self._rows:
                self._rows[one] = self._rows[one]._replace(message=None)
        self.on_change()

    async def _tend(self) -> None:
        """Open the store, again after trouble, and let old messages expire."""
        while True:
            try:
                if self.trouble or not self._conversation:
                    await self._open()
                await self._settle()
                if old := self._expired():
                    await self._erase(old)
            except No as no:
                log.debug("%s", no)
            self.looked.set()
            await asyncio.sleep(self._settings.pause)

    async def _open(self) -> None:
        self._take_over(await self._on_disk(self._store.open))
        times = [row.timestamp for row in self._rows.values()]
        known = [row.timestamp for row in self._rows.values() if not row.boot_time]
        wall_clock.CLOCK.saw(max(known, default=0), max(times, default=0))
        if self._store.was_cut_off:
            self._check.set()

    def _take_over(self, kept: Kept) -> None:
        self._rows = {row.id: row for row in kept.rows}
        self._conversation, self._last = kept.conversation, kept.last
        self.on_change()

    async def _look_after(self) -> None:
        """Check the file in the background, whenever there is a reason."""
        while True:
            await self._check.wait()
            self._check.clear()
            try:
                if why := await sqlite_file.check(self._store.path):
                    error = sqlite_file.DamagedError(why)
                    self._take_over(await self._on_disk(partial(self._store.begin_anew, error)))
            except (No, sqlite3.Error, OSError) as error:
                log.warning("%s: not checked: %s", self._store.path, error)

    async def _settle(self) -> None:
        """Give messages their time once it is known."""
        boot = boot_id()
        waiting = [r for r in self._rows.values() if (t := r.since_boot) and t.boot == boot]
        if waiting and wall_clock.CLOCK.state == "known":
            work = partial(self._store.settle, waiting, boot, wall_clock.offset())
            for row in await self._on_disk(work):
                self._rows[row.id] = row
            self.on_change()

    def _expired(self) -> list[str]:
        if not self._settings.expire:
            return []
        if not wall_clock.CLOCK.may_expire():
            return []
        before = wall_clock.now() - self._settings.expire
        return [
            row.id
            for row in self._rows.values()
            if row.message is not None and row.timestamp < before and not row.boot_time
        ]

    async def _on_disk(self, work: Callable[[], T]) -> T:
        """Do it in the store's own thread; raises No with the disk's words."""
        loop = asyncio.get_running_loop()
        try:
            done = await loop.run_in_executor(self._thread, work)
        except (sqlite3.Error, OSError) as error:
            self._set_trouble(f"{self._store.path}: {error}")
            self._check.set()
            raise No("unstored", f"{UNSTORED}: {error}"[:200]) from None
        self._set_trouble(None)
        return done

    def _set_trouble(self, trouble: str | None) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self.on_change()


def own(row: Row, name: str) -> Row:
    """A message that this person has said; raises No when its id is somebody else's."""
    if row.username != name:
        raise No("taken", "a message of somebody else has this id")
    return row


def refused(one: str, no: No) -> ChatResult:
    """The answer that says why not."""
    return ChatResult(
        id=one, accepted=False, refusal=no.refusal, reason=str(no), wait_seconds=no.wait
    )
