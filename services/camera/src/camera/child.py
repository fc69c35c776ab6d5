"""A child process that gives its output away at once, and that never outlives this one."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable

from .complaint import Complaint
from .source import SourceError

GRACE = 1.6
"""Seconds between SIGTERM and SIGKILL: picamera2 takes 0.5 to 1.1 to let its camera go, and the
whole service has 4 to end."""

_PACKAGES = {
    "ffmpeg": "ffmpeg",
    "rpicam-vid": "rpicam-apps",
    "setpriv": "util-linux",
}

Output = Callable[[bytes], None]


def program(*names: str) -> str:
    """The first of these programs that is on PATH; SourceError says what to install."""
    for name in names:
        if shutil.which(name):
            return name
    package = _PACKAGES.get(names[0], names[0])
    raise SourceError(f"{names[0]} is not installed (apt install {package})")


class Child(asyncio.SubprocessProtocol):
    """One process in a group of its own. Its stdout goes to `output` as soon as it is there."""

    def __init__(self, output: Output, complaint: Complaint) -> None:
        self.complaint = complaint
        self._output = output
        self._transport: asyncio.SubprocessTransport | None = None
        self._ended: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._broken: ValueError | None = None

    @classmethod
    async def start(
        cls,
        command: list[str],
        output: Output,
        *,
        stdin: int = subprocess.DEVNULL,
        hide: Callable[[str], str] = str,
        complaint: Complaint | None = None,
    ) -> "Child":
        """Start `command`; SourceError when it cannot be.

        The kernel kills it when this process dies, however that happens (prctl(2),
        PR_SET_PDEATHSIG): otherwise an orphan would go on holding the camera.
        """
        child = cls(output, complaint or Complaint(hide))
        guarded = [program("setpriv"), "--pdeathsig", "KILL", "--", program(command[0])]
        try:
            await asyncio.get_running_loop().subprocess_exec(
                lambda: child, *guarded, *command[1:], stdin=stdin, start_new_session=True
            )
        except OSError as error:
            raise SourceError(f"{command[0]} does not start: {error.strerror}") from error
        return child

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.SubprocessProtocol."""
        if isinstance(transport, asyncio.SubprocessTransport):
            self._transport = transport

    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        """See asyncio.SubprocessProtocol."""
        piece = data.encode() if isinstance(data, str) else data
        if fd == 2:
            self.complaint.feed(piece)
        else:
            self.guard(lambda: self._output(piece))

    def hold(self, on: bool) -> None:
        """Stop reading what it writes, until it waits itself, or go on."""
        pipe = self._transport.get_pipe_transport(1) if self._transport else None
        if isinstance(pipe, asyncio.ReadTransport):
            (pipe.pause_reading if on else pipe.resume_reading)()

    def guard(self, work: Callable[[], None]) -> None:
        """Read what the child gave; a ValueError of that ends it and becomes its failure."""
        if self._broken:
            return
        try:
            work()
        except ValueError as error:
            self._broken = error
            self._signal(signal.SIGKILL)

    def process_exited(self) -> None:
        """See asyncio.SubprocessProtocol."""
        if self._transport and not self._ended.done():
            # stderr may still hold the reason: its reading is over a moment later.
            code = self._transport.get_returncode()
            asyncio.get_running_loop().call_later(0.02, self._finish, code)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.SubprocessProtocol."""
        self._finish(self._transport.get_returncode() if self._transport else None)

    def _finish(self, code: int | None) -> None:
        if not self._ended.done():
            self._ended.set_result(code)

    async def code(self) -> int | None:
        """Wait until it has ended; its exit code, negative for a signal."""
        return await asyncio.shield(self._ended)

    async def failure(self) -> SourceError:
        """Wait until it has ended and say why."""
        code = await self.code()
        if self._broken:
            return SourceError(str(self._broken))
        return SourceError(reason(code, self.complaint.words))

    async def end(self) -> None:
        """End the whole group: SIGTERM, and SIGKILL when that was not enough."""
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(GRACE):
                await asyncio.shield(self._ended)
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await asyncio.shield(self._ended)
        self._signal(signal.SIGKILL)
        if self._transport:
            self._transport.close()

    def _signal(self, number: signal.Signals) -> None:
        if self._transport:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._transport.get_pid(), number)


def reason(code: int | None, words: str) -> str:
    """Why a program ended: its signal or exit code (as subprocess gives it), then its own words.

    Exit code 1 is what every program says, so that its words say more.
    """
    if code is not None and code < 0:
        end = f"it was killed by {_signal_name(-code)}"
        if code == -signal.SIGKILL:
            end += " (out of memory?)"
    elif code in (None, 0, 1) and words:
        return words
    else:
        end = f"it ended with exit code {code}" if code else "it ended"
    return f"{end}: {words}" if words else end


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
