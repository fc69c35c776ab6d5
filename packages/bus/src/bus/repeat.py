"""A status that is said at every change, and again when nothing changes."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable


async def repeat(
    publish: Callable[[], Awaitable[object]], changed: asyncio.Event, seconds: float
) -> None:
    """Call `publish` now, whenever `changed` is set, and after `seconds` without that; for ever."""
    while True:
        changed.clear()
        await publish()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await changed.wait()
