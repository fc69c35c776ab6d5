"""The life of one source of readings: read, publish, say when it fails and when it is back."""

import asyncio
from collections.abc import Awaitable, Callable

from bus import Bus, Refused, Topic
from bus.topics import M

from .settings import Sensors


class Fault(OSError):
    """A source cannot be read; the text says why and what to do, for people."""


async def sample(
    bus: Bus,
    part: str,
    topic: Topic[M],
    read: Callable[[], Awaitable[M | None]],
    sensors: Sensors,
) -> None:
    """Publish what `read` measures, for ever; its OSError is the problem of `part` until it works.

    None means that there is nothing to measure on this machine, and publishes nothing.
    """
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        wait = sensors.interval
        try:
            message = await read()
            if message is not None:
                await bus.publish(topic, message)
            bus.problem(part, None)
        except Refused as refusal:
            bus.problem(part, f"the broker refused the reading ({refusal}): see its access list")
        except OSError as error:
            bus.problem(part, str(error))
            wait = sensors.retry
        due = max(due + wait, loop.time())
        await asyncio.sleep(due - loop.time())
