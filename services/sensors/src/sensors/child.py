"""The end of a child process: reaped once, its pipes closed, whatever state it is in."""

import asyncio
import contextlib
from asyncio.subprocess import Process

FAREWELL = 0.2
"""Seconds in which a child that is ending by itself may do so."""

LAST_WORDS = 1.0
"""Seconds for what is left in the pipes of a dead child; a child of its own may hold them open."""


async def end(process: Process) -> None:
    """Kill a child that still runs, and wait for it.

    Its own ending is awaited first: a signal to a child that has just ended makes Popen reap it
    before asyncio does, which then knows no exit code.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FAREWELL):
            await process.wait()
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    # Python 3.11 ends neither wait() nor the transport before the pipes are read to their end
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LAST_WORDS):
            await process.communicate()
