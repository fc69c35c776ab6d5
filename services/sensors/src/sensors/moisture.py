"""Water vapour in the air.

Magnus formula over water with the constants of WMO-No. 8 (Annex 4.B), good from -45 to 60 °C.
"""

import math

LOWEST, HIGHEST = 0.0, 100.0


def saturation_pressure(temperature: float) -> float:
    """Vapour pressure (hPa) of saturated air at a temperature (°C)."""
    return 6.112 * math.exp(17.62 * temperature / (243.12 + temperature))


def absolute_humidity(temperature: float, humidity: float) -> float:
    """Grams of water vapour in a cubic metre, from °C and %RH (ideal gas, 216.7 g·K/J)."""
    vapour = humidity / 100 * saturation_pressure(temperature)
    return 216.7 * vapour / (273.15 + temperature)


def humidity_at(temperature: float, measured_at: float, humidity: float) -> float:
    """The same air's %RH at another temperature than the one it was measured at (°C)."""
    ratio = saturation_pressure(measured_at) / saturation_pressure(temperature)
    return min(max(humidity * ratio, LOWEST), HIGHEST)


def ambient(raw: float, offset: float, factor: float, cpu: float | None) -> float:
    """Temperature of the air (°C) around a sensor that is warmed by itself and by a processor.

    In the steady state the heat that comes from the processor leaves to the air:
    (cpu - raw) · g_cpu = (raw - air) · g_air, so air = raw - factor · (cpu - raw) with
    factor = g_cpu / g_air. The sensor's own heat adds a constant offset. Without a processor
    temperature only the offset is taken off.
    """
    warmth = factor * max(cpu - raw, 0) if cpu is not None else 0.0
    return raw - offset - warmth
