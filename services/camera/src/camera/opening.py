"""Opens a foreign source for ffmpeg: what it reads, and what comes in through its stdin."""

import asyncio
import contextlib
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .address import Address
from .feed import Feed
from .source import SourceError

if TYPE_CHECKING:
    from .http_source import HttpSource

_JPEG = ["-use_wallclock_as_timestamps", "1", "-f", "mpjpeg", "-i", "pipe:0"]
"""Of pictures that come by themselves, the time of arrival is all there is."""


@dataclass(frozen=True, slots=True)
class Opening:
    """ffmpeg's input options and its stdin, valid until the block is left.

    silent: it cannot have sound. segments, recording: it is a list of such, it has an end; behind
    its concat demuxer ffmpeg does not say so itself.
    """

    arguments: list[str]
    stdin: int = subprocess.DEVNULL
    silent: bool = False
    segments: bool = False
    recording: bool = False


@contextlib.asynccontextmanager
async def opened(address: Address, fps: float, *, paced: bool = False) -> AsyncIterator[Opening]:
    """Open a source; SourceError when it cannot be.

    fps: stills a second, where it is an address of one picture; paced: at a recording's own speed.
    HTTP is asked here, since only so errors have causes, and Motion JPEG comes through from cameras
    whose boundaries are not what they say.
    """
    if address.http is None:
        with _by_ffmpeg(address, paced=paced) as opening:
            yield opening
        return
    # Only cameras with such an address pay for the library.
    from . import http_source

    async with http_source.opened(address.http) as source:
        if source.kind != "other":
            async with _fed(source, fps, address.flags(paced=paced)) as opening:
                yield opening
            return
    with _by_ffmpeg(address, paced=paced) as opening:
        yield replace(opening, segments=source.segments, recording=source.recording)


@contextlib.contextmanager
def _by_ffmpeg(address: Address, *, paced: bool) -> Iterator[Opening]:
    options = address.options(paced=paced)
    script = address.script(paced=paced)
    with _written(script) if script else contextlib.nullcontext(subprocess.DEVNULL) as stdin:
        yield Opening(options, stdin)


@contextlib.asynccontextmanager
async def _fed(source: "HttpSource", fps: float, flags: list[str]) -> AsyncIterator[Opening]:
    """Feed ffmpeg's stdin; why the source ended says more than that its input did."""
    feed = Feed()
    jpeg = source.kind == "jpeg"
    pouring = asyncio.ensure_future(_pour(source, fps, feed))
    bare = [*flags, "-protocol_whitelist", "pipe", "-i", "pipe:0"]
    try:
        yield Opening(_JPEG if jpeg else bare, feed.reader, silent=jpeg)
    except SourceError:
        if pouring.done() and (error := pouring.exception()):
            raise error from None
        raise
    finally:
        pouring.cancel()
        await asyncio.wait((pouring,))
        feed.close()


async def _pour(source: "HttpSource", fps: float, feed: Feed) -> None:
    """Write until the source ends; then ffmpeg's input does, too."""
    try:
        if source.kind == "jpeg":
            async for picture in source.pictures(fps):
                head = f"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}"
                await feed.write([head.encode(), b"\r\n\r\n", picture, b"\r\n"])
        else:
            async for chunk in source.chunks():
                await feed.write([chunk])
    finally:
        feed.end()


@contextlib.contextmanager
def _written(script: bytes) -> Iterator[int]:
    """The reading end of a pipe that holds `script` (less than its 64 KiB), and then ends."""
    reader, writer = os.pipe()
    try:
        os.write(writer, script)
        os.close(writer)
        yield reader
    finally:
        os.close(reader)
