"""The alert rules of the contract's limits: too high or too low, warning or critical."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from bus.limits import LIMITS, Limit
from flux import WHOLE_MINUTES, kept, select
from rule import VALUE, WHERE, Evaluator, Rule

NAMES = {
    "sensors/bme680/all:temperature": "Temperature",
    "sensors/bme680/all:humidity": "Humidity",
    "sensors/bme680/all:pressure": "Air pressure",
    "sensors/bme680/all:iaq": "Air quality index",
    "sensors/bme680/all:co2_equivalent": "CO₂ equivalent",
    "sensors/cpu/temperature:cpu_temp": "CPU temperature",
    "system/stats:cpu_percent": "CPU load",
    "system/stats:memory_percent": "Memory",
    "system/stats:disk_percent": "Disk",
    "audio/level:level_db": "Sound",
}
PANELS = {
    "sensors/bme680/all:temperature": 301,
    "sensors/bme680/all:humidity": 302,
    "sensors/bme680/all:pressure": 305,
    "sensors/bme680/all:iaq": 303,
    "sensors/bme680/all:co2_equivalent": 206,
    "sensors/cpu/temperature:cpu_temp": 404,
    "system/stats:cpu_percent": 401,
    "system/stats:memory_percent": 402,
    "system/stats:disk_percent": 403,
    "audio/level:level_db": 304,
}
"""Metric → the panel of the dashboard `station` that shows it with its limits."""
KEEP = "5m"
"""A value that swings around its limit is one alert, not one a swing."""


class Side(NamedTuple):
    """One side of a limit, as if it were the upper one; `sign` −1 mirrors it."""

    name: str
    sign: int
    warn: float | None
    bad: float | None
    margin: float
    """How far a value must come back before its alert ends."""


def limit_rules() -> Iterator[Rule]:
    """A rule for each side and severity that the limits have."""
    for limit in LIMITS:
        for side in sides(limit):
            if side.warn is not None:
                yield rule(limit, side, "warning", side.warn)
            if side.bad is not None:
                yield rule(limit, side, "critical", side.bad)


def sides(limit: Limit) -> tuple[Side, Side]:
    """The upper and the lower side."""
    return (
        Side("high", 1, limit.warn_above, limit.bad_above, margin(limit)),
        Side("low", -1, limit.warn_below, limit.bad_below, margin(limit)),
    )


def margin(limit: Limit) -> float:
    """A fifth of the step from warning to critical, else a twentieth of the good band or bound."""
    for warn, bad in ((limit.warn_above, limit.bad_above), (limit.warn_below, limit.bad_below)):
        if warn is not None and bad is not None:
            return abs(bad - warn) / 5
    bounds = [b for b in (limit.warn_below, limit.warn_above) if b is not None]
    return (bounds[-1] - bounds[0] if len(bounds) > 1 else abs(bounds[0])) / 20


def rule(limit: Limit, side: Side, severity: str, bound: float) -> Rule:
    """The mean of a whole minute against one bound."""
    _, field = kept(limit.field)
    name, unit = NAMES[limit.field], f" {limit.unit}" if limit.unit else ""
    word = "above" if side.sign > 0 else "below"
    flux = "\n  |> ".join(
        (
            select(limit.field, span=WHOLE_MINUTES),
            "aggregateWindow(every: 1m, fn: mean, createEmpty: false)",
            'keep(columns: ["_time", "_value", "station"])',
        )
    )
    return Rule(
        f"{field}-{side.name}-{severity}",
        f"{name} {side.name}: {severity}",
        severity,
        flux,
        beyond(side, severity, bound),
        f"{name} {WHERE}: {VALUE}{unit} ({severity} {word} {bound:g}{unit})",
        ("station", PANELS[limit.field]),
        recovers=("lt" if side.sign > 0 else "gt", [bound - side.sign * side.margin]),
        keep=KEEP,
    )


def beyond(side: Side, severity: str, bound: float) -> Evaluator:
    """Where the alert begins.

    A warning begins only between its bound and the critical one, so that a value which jumps
    beyond both tells once. Grafana's ranges exclude both ends; a value on the critical bound is
    still a warning (`Limit.judge`).
    """
    if severity == "warning" and side.bad is not None:
        last = math.nextafter(side.bad, side.sign * math.inf)
        return "within_range", sorted((bound, last))
    return "gt" if side.sign > 0 else "lt", [bound]
