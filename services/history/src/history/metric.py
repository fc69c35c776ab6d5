"""The name of a metric: a topic below `beeper/`, a colon, a field."""

from typing import NamedTuple

from bus.points import MEASUREMENTS, Measurement
from bus.topics import parse, rooted

ROOT = "beeper/"


class Metric(NamedTuple):
    """One number of one topic, and the tags by which it is found."""

    measurement: Measurement
    tags: dict[str, str]
    """Those that its name tells: all but what only the payload says."""
    field: str


class UnknownError(ValueError):
    """There is no such metric in the contract; the text says what is wrong."""


def read(name: str, station: str) -> Metric:
    """The metric of a name such as `camera/csi/metadata:Lux`; raises UnknownError."""
    topic_name, _, field = name.partition(":")
    found = parse(rooted(ROOT + topic_name, ""))
    if found is None or (kept := MEASUREMENTS.get(found[0].path)) is None:
        raise UnknownError(f"no topic {topic_name!r} is kept")
    if field not in kept.numbers:
        numbers = ", ".join(kept.numbers)
        raise UnknownError(f"{topic_name} has no number {field!r}; it has {numbers}")
    return Metric(kept, {"station": station, **kept.constants, **found[1]}, field)


def name_of(kept: Measurement, tags: dict[str, str]) -> str:
    """The topic below `beeper/` that has these tags."""
    return kept.topic.path.format_map(tags).removeprefix(ROOT)
