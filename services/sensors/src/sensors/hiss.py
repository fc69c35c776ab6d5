"""Made-up sound for machines without a microphone: a coop that gets louder and quieter."""

import asyncio
import random
from array import array
from collections.abc import Callable

from bus import wall_clock

from .alsa import RATE
from .weather import wave

BLOCK = 0.1
"""Seconds of sound that are handed over at once."""

LOUDNESS = [10 ** (dbfs / 20) * 32768 for dbfs in range(-62, -30, 2)]
"""RMS amplitudes of the blocks, in sample values."""


async def rustle(heard: Callable[[bytes], None]) -> None:
    """Hand over samples (S16, mono, 48 kHz) in real time until cancelled."""
    blocks = [noise(amplitude) for amplitude in LOUDNESS]
    while True:
        now = wall_clock.now()
        mood = 0.5 + 0.3 * wave(now, 300) + 0.2 * wave(now, 7)
        heard(blocks[int(mood * (len(blocks) - 1))])
        await asyncio.sleep(BLOCK)


def noise(amplitude: float) -> bytes:
    """One block of white noise with this RMS amplitude, in sample values."""
    dice = random.Random(amplitude)  # noqa: S311 (sound, not a secret)
    count = int(RATE * BLOCK)
    return array("h", [round(dice.gauss(0, amplitude)) for _ in range(count)]).tobytes()
