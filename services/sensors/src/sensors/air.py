"""The air quality index: from the resistance of the BME680's gas layer, openly.

docs/air-quality.md gives the reasons for the formula and its constants.
"""

import math
from dataclasses import dataclass, replace
from itertools import pairwise

from .settings import Iaq

CLEAN = 25.0
"""The index of air as clean as the baseline."""

HALVING = 75.0
"""Points by which the index rises each time the resistance halves."""

REFERENCE_HUMIDITY = 10.0
"""g/m³ of water vapour to which resistances are converted: about 20 °C at 58 %RH."""

CO2: tuple[tuple[float, float], ...] = ((0, 400), (100, 1000), (200, 2000), (500, 5000))
"""Index → ppm that people in a closed room would be found with; linear between."""


@dataclass(frozen=True)
class Known:
    """What has been learned of clean air so far."""

    baseline: float | None = None
    """Resistance (Ω, at the reference humidity) of the cleanest air."""
    warm: float = 0
    """Seconds of heating without a pause."""
    learned: float = 0
    """Seconds of warm readings that made the baseline."""


@dataclass(frozen=True)
class Verdict:
    """What may be said about the air now; no index before the sensor is warm."""

    iaq: float | None = None
    accuracy: int = 0
    co2_equivalent: float | None = None


def dry(resistance: float, moisture: float, factor: float) -> float:
    """Resistance (Ω) that the layer would have at the reference humidity; `moisture` in g/m³."""
    return resistance * math.exp(factor * (moisture - REFERENCE_HUMIDITY))


def learn(known: Known, resistance: float, seconds: float, iaq: Iaq) -> Known:
    """What is known after one more dry resistance (Ω), `seconds` after the previous one.

    The baseline follows cleaner air (a higher resistance) quickly and worse air slowly.
    """
    if seconds > iaq.pause:
        return replace(known, warm=0)
    warm = known.warm + seconds
    if warm < iaq.warmup:
        return replace(known, warm=warm)
    if known.baseline is None:
        return Known(resistance, warm)
    gap = math.log(resistance / known.baseline)
    share = 1 - math.exp(-seconds / (iaq.rise if gap > 0 else iaq.decay))
    return Known(known.baseline * math.exp(gap * share), warm, known.learned + seconds)


def judge(known: Known, resistance: float, iaq: Iaq) -> Verdict:
    """The verdict on a dry resistance (Ω): the lower it is, the worse the air."""
    if known.baseline is None or known.warm < iaq.warmup:
        return Verdict()
    halvings = math.log2(known.baseline / resistance)
    index = min(max(CLEAN + HALVING * halvings, 0), 500)
    return Verdict(index, accuracy(known.learned, iaq), co2_equivalent(index))


def accuracy(learned: float, iaq: Iaq) -> int:
    """1 while the baseline is a guess, 2 after an eighth of the burn-in, 3 after all of it."""
    return 1 + (learned >= iaq.burn_in / 8) + (learned >= iaq.burn_in)


def co2_equivalent(iaq: float) -> float:
    """An estimate (ppm) of the CO₂ that goes with such air where people are its only source."""
    for (low, ppm), (high, more) in pairwise(CO2):
        if iaq <= high:
            return ppm + (more - ppm) * (iaq - low) / (high - low)
    return CO2[-1][1]
