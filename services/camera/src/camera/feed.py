"""Feeds raw pictures or sound into the stdin of an encoder, without blocking."""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Iterator, Sequence

_PIPE = 1 << 20
"""Bytes: the most that Linux gives an ordinary user (proc_sys_fs(5), pipe-max-size)."""

Piece = bytes | bytearray | memoryview


class Feed:
    """The writing end of a pipe; `reader` is for the child."""

    def __init__(self) -> None:
        self.reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        # As large as allowed: a whole picture then goes over without waiting for the encoder.
        with contextlib.suppress(OSError):
            fcntl.fcntl(self._writer, fcntl.F_SETPIPE_SZ, _PIPE)

    async def write(self, pieces: Sequence[Piece]) -> None:
        """Write all of it; BrokenPipeError when nobody reads any more."""
        rest = [memoryview(piece) for piece in pieces]
        while rest:
            try:
                written = os.writev(self._writer, rest)
            except BlockingIOError:
                await self._writable()
            else:
                rest = list(_behind(rest, written))

    async def _writable(self) -> None:
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        loop.add_writer(self._writer, lambda: None if ready.done() else ready.set_result(None))
        try:
            await ready
        finally:
            loop.remove_writer(self._writer)

    def end(self) -> None:
        """Close the writing end: whoever reads gets to the end."""
        if self._writer >= 0:
            os.close(self._writer)
            self._writer = -1

    def close(self) -> None:
        """Close both ends."""
        self.end()
        os.close(self.reader)


def _behind(pieces: list[memoryview], written: int) -> Iterator[memoryview]:
    for piece in pieces:
        if written >= len(piece):
            written -= len(piece)
        else:
            yield piece[written:]
            written = 0
