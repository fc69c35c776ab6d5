"""A connection that comes back: backoff with full jitter, subscriptions made anew."""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable

from paho.mqtt.properties import Properties

from .connection import Connection, Handler, Session, Will
from .errors import BusError
from .settings import Mqtt

log = logging.getLogger(__name__)


class Link:
    """Holds `connection` while the broker is there, and looks for it when it is not."""

    def __init__(
        self,
        mqtt: Mqtt,
        name: str,
        on_message: Handler,
        announce: Callable[[], Awaitable[None]],
        will: Will | None = None,
        session: Session | None = None,
    ) -> None:
        self.connection: Connection | None = None
        self.reason = "not connected yet"
        self.connects = 0
        self._mqtt = mqtt
        self._name = name
        self._on_message = on_message
        self._announce = announce
        self._will = will
        self._session = session
        self._filters: dict[str, int] = {}
        self._users: Counter[str] = Counter()
        self._up = asyncio.Event()

    def subscribe(self, name: str, qos: int) -> None:
        """Want a topic now and after every reconnect."""
        self._users[name] += 1
        self._filters[name] = qos
        # Asked for again too: only so does a second user get what is retained.
        self._ask([(name, qos)])

    def unsubscribe(self, name: str) -> None:
        """Want it no more."""
        self._users[name] -= 1
        if self._users[name] <= 0 and self._filters.pop(name, None) is not None and self.connection:
            self.connection.unsubscribe([name])

    async def ready(self) -> None:
        """Wait until there is a connection."""
        await self._up.wait()

    async def send(
        self,
        name: str,
        payload: bytes,
        qos: int,
        retain: bool,
        properties: Properties | None = None,
    ) -> None:
        """Publish and, with QoS 1, wait for PUBACK; BusError when there is none."""
        if self.connection is None:
            raise BusError(f"the broker is away ({self.reason})")
        sent = self.connection.publish(name, payload, qos, retain, properties)
        if sent is not None:
            await within(self._mqtt.timeout, sent)

    async def run(self) -> None:
        """Connect, and again whenever that ends, until cancelled."""
        attempt = 0
        while True:
            before = self.connects
            try:
                await self._attempt()
            except (BusError, OSError) as error:
                attempt = attempt if self.connects == before else 0
                self._say_lost(str(error), attempt)
            attempt += 1
            most = min(self._mqtt.retry_max, self._mqtt.retry_min * 2 ** min(attempt, 16))
            await asyncio.sleep(random.uniform(most / 2, most))  # noqa: S311 (no secret in it)

    async def _attempt(self) -> None:
        """One connection until its end; raises BusError, or OSError for a secret's file."""
        connection = Connection(self._mqtt, self._name, self._on_message, self._will, self._session)
        try:
            await connection.open()
            await self._serve(connection)
        finally:
            self.connection = None
            self._up.clear()
            await asyncio.shield(connection.close())

    async def _serve(self, connection: Connection) -> None:
        self.connection = connection
        self.connects += 1
        if self._filters:
            await within(self._mqtt.timeout, connection.subscribe(list(self._filters.items())))
        self._up.set()
        log.info("connected to %s as %s", self._mqtt.shown, self._name)
        await self._announce()
        raise BusError(await asyncio.shield(connection.closed))

    def _say_lost(self, reason: str, attempt: int) -> None:
        if attempt == 0 or reason != self.reason:
            log.warning("no broker at %s: %s; trying again", self._mqtt.shown, reason)
        self.reason = reason

    def _ask(self, filters: list[tuple[str, int]]) -> None:
        if self.connection is None:
            return
        try:
            self.connection.subscribe(filters).add_done_callback(complain)
        except BusError:
            self.connection.abort("could not subscribe")


def complain(done: "asyncio.Future[None]") -> None:
    """Say it when a subscription made on a living connection was refused."""
    if not done.cancelled() and (error := done.exception()):
        log.error("could not subscribe: %s", error)


async def within(seconds: float, future: "asyncio.Future[None]") -> None:
    """Wait for the broker's answer; raises BusError when it does not come."""
    try:
        async with asyncio.timeout(seconds):
            await future
    except TimeoutError:
        raise BusError("the broker does not answer") from None
