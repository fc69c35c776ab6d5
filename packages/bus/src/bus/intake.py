"""Hearing topics without losing a message: the broker keeps what was not acknowledged."""

from collections.abc import Callable, Iterable
from typing import Any

from paho.mqtt.client import MQTTMessage

from . import topics
from .client import Bus
from .connection import Session
from .inbox import Inbox
from .link import Link
from .messages import Message
from .settings import Settings
from .topics import Levels, Topic

Handler = Callable[[Topic[Any], Levels, Message], None]


class Intake:
    """A connection of its own, whose session outlives it and the service (MQTT 5 §4.1).

    The receiver says what it is done with; whatever it was not done with when the connection or
    the service ended comes again. What does not validate is counted with the service's own.
    """

    def __init__(
        self,
        bus: Bus,
        settings: Settings,
        heard: Iterable[Topic[Any]],
        handler: Handler,
        session: Session,
        *,
        everywhere: bool = False,
    ) -> None:
        """`everywhere`: hear every station of a hub, in place of the one of the settings."""
        station = "+" if everywhere else settings.station
        self._inbox = Inbox(bus.invalid)
        self._link = Link(
            settings.mqtt, f"{bus.instance}-intake", self._receive, nothing, session=session
        )
        for topic in heard:
            self._hear(topic, topics.pattern(topic, station, {}), handler)

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        await self._link.run()

    def mark(self) -> Callable[[], None]:
        """The way to say, later, that everything received until now is done with."""
        connection = self._link.connection
        return connection.mark() if connection else lambda: None

    def again(self) -> None:
        """Let the broker repeat everything that is not done with."""
        if connection := self._link.connection:
            connection.abort("what was heard is to be repeated")

    def drop(self, topic: Topic[Any], why: str) -> None:
        """Count a message that is not what its topic declares; the first is logged."""
        self._inbox.drop(topic.path, why)

    def _hear(self, topic: Topic[Any], pattern: str, handler: Handler) -> None:
        def take(message: Message, levels: Levels) -> None:
            handler(topic, levels, message)

        self._inbox.add(pattern, take)
        self._link.subscribe(pattern, 1)

    def _receive(self, message: MQTTMessage) -> None:
        self._inbox.receive(message)


async def nothing() -> None:
    """This connection only hears."""
