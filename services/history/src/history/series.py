"""The readings of one measurement with the same tags, and what is known of them."""

import json
from typing import Any

from bus.points import MEASUREMENTS, Measurement

from .boots import BOOT

KEPT = {kept.name: kept for kept in MEASUREMENTS.values()}


class Series:
    """The readings of one measurement with the same tags, and what is known of them."""

    def __init__(self, key: int, measurement: str, tags: dict[str, str]) -> None:
        self.key = key
        self.kept: Measurement = KEPT[measurement]
        self.tags = tags
        self.interval = self.kept.topic.every or 0.0
        """s between two readings, as they said last."""
        self.fields: set[str] = set()
        """Those that ever had a value."""
        self.rolled = 0
        """Unix time (ms) up to which there are windows."""

    @property
    def boot(self) -> str | None:
        """The boot whose time is not known: moments are ms of CLOCK_BOOTTIME; None with it."""
        return self.tags.get(BOOT)

    def row(self) -> tuple[Any, ...]:
        """As the table has it."""
        about = (self.key, self.kept.name, sorted_json(self.tags), self.interval)
        return (*about, json.dumps(sorted(self.fields)), self.rolled)


def known(
    key: int, measurement: str, tags: str, interval: float, fields: str, rolled: int
) -> Series:
    """A series as it is kept."""
    series = Series(key, measurement, json.loads(tags))
    series.interval, series.fields, series.rolled = interval, set(json.loads(fields)), rolled
    return series


def sorted_json(tags: dict[str, str]) -> str:
    """Tags as text, the same for the same."""
    return json.dumps(tags, sort_keys=True)
