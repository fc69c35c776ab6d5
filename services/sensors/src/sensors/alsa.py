"""Sound from ALSA through its own recorder, `arecord`, as a child that can be killed."""

import asyncio
import os
import shutil
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from pathlib import Path

from . import child
from .settings import Audio
from .source import Fault

RATE = 48000
PIPE_SIZE = 65536
"""Bytes that Linux keeps in a pipe, 0.68 s of sound: read at once."""

POLL = 0.1
"""Seconds between two looks into the pipe.

ALSA hands over 50 pieces a second; waking for each of them would cost more than the metering.
"""

LAST = 4096
"""Bytes of complaints that are kept."""

FORMAT = ("-q", "-t", "raw", "-f", "S16_LE", "-c", "1", "-r", str(RATE))


async def record(audio: Audio, heard: Callable[[bytes], None]) -> None:
    """Hand over samples (S16_LE, mono, 48 kHz) as they come; raises Fault when they end."""
    source, sink = os.pipe()
    os.set_blocking(source, False)
    try:
        process = await start(audio, sink)
        complaints = asyncio.create_task(last_words(process))
        try:
            await forward(source, audio, heard)
            await asyncio.wait((complaints,), timeout=audio.silence)
            raise Fault(explain(complaints.result() if complaints.done() else "", audio))
        finally:
            complaints.cancel()
            await asyncio.gather(complaints, return_exceptions=True)
            await child.end(process)
    finally:
        os.close(source)


async def start(audio: Audio, sink: int) -> Process:
    """The recorder, writing into a pipe's end, which is its own from here on.

    It ends with this process, however that happens (PR_SET_PDEATHSIG of prctl(2)): while its
    device is silent it would notice nothing, and keep the microphone from whoever comes next.
    """
    command = ("setpriv", "--pdeathsig", "KILL", "--", "arecord", *FORMAT, "-D", audio.device)
    try:
        if shutil.which("arecord") is None:
            raise Fault("arecord is not installed: apt install alsa-utils")
        return await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=sink, stderr=PIPE, env=os.environ | {"LC_ALL": "C"}
        )
    except FileNotFoundError:
        raise Fault("setpriv is not installed: apt install util-linux") from None
    finally:
        os.close(sink)


async def forward(source: int, audio: Audio, heard: Callable[[bytes], None]) -> None:
    """Until the recorder ends; raises Fault when it falls silent."""
    loop = asyncio.get_running_loop()
    heard_at = loop.time()
    while True:
        try:
            data = os.read(source, PIPE_SIZE)
        except BlockingIOError:
            if loop.time() - heard_at > audio.silence:
                raise Fault(
                    f"{audio.device} has given no sound for {audio.silence:g} s: "
                    "unplug the microphone and plug it in again"
                ) from None
        else:
            if not data:
                return
            heard(data)
            heard_at = loop.time()
        await asyncio.sleep(POLL)


async def last_words(process: Process) -> str:
    """The end of what the recorder says on stderr, which is always read, so that it never waits."""
    assert process.stderr  # noqa: S101 (it was asked for)
    said = b""
    while data := await process.stderr.read(LAST):
        said = (said + data)[-LAST:]
    return said.decode(errors="replace")


def explain(said: str, audio: Audio) -> str:
    """Why there is no sound, in words, from what ALSA says."""
    device = audio.device
    if "Unknown PCM" in said:
        return (
            f"ALSA knows no device {device!r}: install alsa/asound.conf as /etc/asound.conf, or "
            "set sensors.audio.device to one that `arecord -L` lists (driver off: no microphone)"
        )
    if "Permission denied" in said or locked(audio.devices):
        return f"no permission for {device}: add this user to the group audio and log in again"
    if "busy" in said:
        return (
            f"{device} is busy: another program holds the microphone; share it through dsnoop "
            "(alsa/asound.conf) in both"
        )
    if any(words in said for words in ("No such", "Cannot get card", "no soundcards")):
        return f"no microphone behind {device}: plug it in; `arecord -l` lists what the kernel sees"
    lines = [line for line in said.splitlines() if line.strip()]
    return f"arecord ended on {device}: {lines[-1] if lines else 'it says nothing'}"


def locked(devices: Path) -> bool:
    """Whether the kernel has capture devices and this user may open none of them.

    ALSA then only says that there is no such device.
    """
    captures = list(devices.glob("pcm*c"))
    return bool(captures) and not any(os.access(path, os.R_OK | os.W_OK) for path in captures)
