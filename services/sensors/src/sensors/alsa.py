"""Sound from ALSA through its own recorder, `arecord`, as a child that can be killed."""

import asyncio
import os
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from pathlib import Path

from . import child
from .settings import Audio
from .source import Fault

RATE = 48000
CHUNK = 16384
"""Bytes read at once: a sixth of a second."""

FORMAT = ("-q", "-t", "raw", "-f", "S16_LE", "-c", "1", "-r", str(RATE))


async def record(audio: Audio, heard: Callable[[bytes], None]) -> None:
    """Hand over samples (S16_LE, mono, 48 kHz) as they come; raises Fault when they end."""
    try:
        process = await asyncio.create_subprocess_exec(
            "arecord", *FORMAT, "-D", audio.device, stdin=DEVNULL, stdout=PIPE, stderr=PIPE,
            env=os.environ | {"LC_ALL": "C"},
        )  # fmt: skip
    except FileNotFoundError:
        raise Fault("arecord is not installed: apt install alsa-utils") from None
    complaints = asyncio.create_task(last_words(process))
    try:
        await forward(process, audio, heard)
        raise Fault(explain(await complaints, audio))
    finally:
        complaints.cancel()
        await child.end(process)


async def forward(process: Process, audio: Audio, heard: Callable[[bytes], None]) -> None:
    """Until the recorder ends; raises Fault when it falls silent."""
    assert process.stdout  # noqa: S101 (it was asked for)
    while True:
        try:
            async with asyncio.timeout(audio.silence):
                data = await process.stdout.read(CHUNK)
        except TimeoutError:
            raise Fault(
                f"{audio.device} has given no sound for {audio.silence:g} s: "
                "unplug the microphone and plug it in again"
            ) from None
        if not data:
            return
        heard(data)


async def last_words(process: Process) -> str:
    """The end of what the recorder says on stderr, which is always read, so that it never waits."""
    assert process.stderr  # noqa: S101 (it was asked for)
    said = b""
    while data := await process.stderr.read(CHUNK):
        said = (said + data)[-CHUNK:]
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
