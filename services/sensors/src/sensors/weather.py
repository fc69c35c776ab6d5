"""A made-up climate that moves slowly, for the simulated sensor."""

import math
from typing import NamedTuple

DAY = 86400


class Air(NamedTuple):
    """What the simulated sensor is surrounded by."""

    temperature: float
    """°C"""
    humidity: float
    """%RH"""
    pressure: float
    """hPa"""
    gas_resistance: float
    """Ω"""


def wave(now: float, period: float) -> float:
    """From -1 to 1 and back within a period (s)."""
    return math.sin(2 * math.pi * now / period)


def weather(now: float) -> Air:
    """The air at a Unix time (s): warm afternoons, and stale air for a while every three hours."""
    stale = max(wave(now, 3 * 3600), 0) ** 8
    return Air(
        temperature=21 + 3 * wave(now - 9 * 3600, DAY) + 0.4 * wave(now, 1700),
        humidity=50 - 8 * wave(now - 9 * 3600, DAY) + 2 * wave(now, 2300),
        pressure=1013 + 6 * wave(now, 5 * DAY) + 0.5 * wave(now, 7000),
        gas_resistance=150_000 * math.exp(0.15 * wave(now, 5400) - 1.1 * stale),
    )
