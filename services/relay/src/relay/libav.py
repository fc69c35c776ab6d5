"""RTSP and RTMP: a child process of ours writes with FFmpeg's libraries.

FFmpeg's own program would show the address, and with it the secrets, to everybody who may call
`ps`. PyAV holds Python's lock while it connects, so it has a process of its own, too.
"""

import asyncio
import contextlib
import json
import logging
import struct
import sys
from typing import Any

from media.cause import cause
from media.cmaf import VIDEO_TRACK, FragmentHeader

from .address import Address
from .settings import Relay
from .target import Headers, TargetError

log = logging.getLogger(__name__)

_GRACE = 0.5
"""Seconds that the child has to say goodbye to its target."""


class LibavPush:
    """See target.Push. Accepted is what the target's TCP has acknowledged."""

    def __init__(self, address: Address, headers: Headers, relay: Relay) -> None:
        self.accepted = 0
        self.dropped = 0
        self._address = address
        self._headers = headers
        self._relay = relay
        self._process: asyncio.subprocess.Process | None = None
        self._opened = asyncio.Event()
        self._ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._skipping = True
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """See target.Push."""
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "relay.writer"),
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            start_new_session=True,
        )
        self._tasks = [asyncio.create_task(self._hear(self._process))]
        self._tell(json.dumps(self._order()).encode())
        for header in self._headers:
            if header is not None:
                self._tell(header)
        opened = asyncio.ensure_future(self._opened.wait())
        try:
            await asyncio.wait((opened, self._ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            opened.cancel()
        if self._ended.done():
            await self.ended()

    def send(self, header: FragmentHeader, fragment: bytes) -> None:
        """See target.Push."""
        video = header.track_id == VIDEO_TRACK
        if self._waiting() > self._relay.unsent:
            self._skipping = True
        elif video and header.key:
            self._skipping = False
        if self._skipping:
            self.dropped += video
        else:
            self._tell(fragment)

    async def ended(self) -> None:
        """See target.Push."""
        address = self._address
        why = address.hide(await asyncio.shield(self._ended))
        raise TargetError(cause([why], login=bool(address.username), port=address.port) or why)

    async def close(self) -> None:
        """See target.Push."""
        if (process := self._process) is None:
            return
        if process.stdin:
            process.stdin.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE):
                await process.wait()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await asyncio.gather(*self._tasks)

    def _order(self) -> dict[str, Any]:
        tracks = sum(header is not None for header in self._headers)
        return {
            "url": self._address.full,
            "tracks": tracks,
            "aac_bitrate": self._relay.aac_bitrate_kbps * 1000,
            "send_buffer": self._relay.unsent,
            "parent": self._relay.stall_timeout,
        }

    def _tell(self, message: bytes) -> None:
        process = self._process
        if process and process.stdin and not process.stdin.is_closing():
            process.stdin.write(struct.pack(">I", len(message)) + message)

    def _waiting(self) -> int:
        stdin = self._process and self._process.stdin
        return stdin.transport.get_write_buffer_size() if stdin else 0

    async def _hear(self, process: asyncio.subprocess.Process) -> None:
        """Take what the child says: what was acknowledged, and why it ended."""
        assert process.stdout and process.stderr  # noqa: S101 (both are pipes)
        complaint = ""
        async for line in process.stdout:
            said = json.loads(line)
            self.accepted += said.get("accepted", 0)
            complaint = said.get("error", complaint)
            if said.get("opened"):
                self._opened.set()
        noise = (await process.stderr.read()).decode(errors="replace").strip().splitlines()
        code = await process.wait()
        if not self._ended.done():
            last = noise[-1] if noise else f"the writer ended with code {code}"
            self._ended.set_result(complaint or last)
