"""What of the bus is kept as a time series: the one mapping for Telegraf, InfluxDB and `history`.

A topic is a measurement, its levels are tags, its flat payload fields are fields of a type that
never changes. All of it is derived from the models; what must be known by everybody who writes or
reads a series stands here as well: buckets, statistics and the rounding of time.
"""

import types
import typing
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal, NamedTuple

from . import topics as t
from .messages import Message
from .topics import Levels, Topic

Kind = Literal["float", "int", "bool", "string"]
Value = float | int | bool | str

METRICS: tuple[Topic[Any], ...] = (
    *(t.CLIMATE, t.CPU, t.SYSTEM, t.AUDIO, t.CAMERA_METADATA, t.CAMERA_STATUS),
    *(t.RELAY_STATUS, t.SERVICE_STATUS, t.VIEWERS, t.STEPPER_STATUS, t.WEBRTC_STATUS),
)
"""The topics that are kept: state with the time of its measurement, said again and again."""

HOME = "home"
"""The tag `station` of topics without a root; on a hub it is the name in the root."""

ORGANISATION = "beeper"
RAW_BUCKET = "sensors"
LONG_BUCKET = "sensors_long"
"""Mean, least and greatest number of each WINDOW, as floats at the beginning of the window."""
STATISTICS = ("mean", "min", "max")
"""Values of the tag `statistic` in LONG_BUCKET."""
WINDOW = 300
"""s of each value in LONG_BUCKET."""

BROKER = "broker"
"""The measurement of Mosquitto's figures: a field `value`, and a tag `name` that says of what."""
BROKER_STATISTICS = (
    "clients/connected",
    "clients/disconnected",
    "subscriptions/count",
    "retained messages/count",
    "store/messages/count",
    "store/messages/bytes",
    "heap/current",
    "publish/messages/dropped",
    "load/messages/received/1min",
    "load/messages/sent/1min",
    "load/bytes/received/1min",
    "load/bytes/sent/1min",
    "load/publish/dropped/1min",
)
"""Below `$SYS/broker/` (mosquitto(8)); `load` is a moving average, a minute."""
BROKER_PREFIX = "$SYS/broker/"
BROKER_TOPICS = tuple(BROKER_PREFIX + name for name in BROKER_STATISTICS)

LABELS = frozenset({"camera"})
"""Payload fields that tell series apart, as a level of the topic does."""
UNKEPT = frozenset({"timestamp", "interval", "title"}) | LABELS


class Measurement(NamedTuple):
    """One topic as InfluxDB keeps it."""

    topic: Topic[Any]
    name: str
    """The topic's fixed levels below `beeper/`, such as `sensors_bme680_all`, `camera_status`."""
    constants: Mapping[str, str]
    """Tags that are always the same: the sensor."""
    levels: tuple[str, ...]
    """Tags from levels of the topic's name: camera, relay, instance."""
    labels: tuple[str, ...]
    """Tags from the payload."""
    fields: Mapping[str, Kind]

    @property
    def numbers(self) -> tuple[str, ...]:
        """The fields that can be averaged; a boolean counts as 0 or 1."""
        return tuple(name for name, kind in self.fields.items() if kind != "string")

    @property
    def tags(self) -> tuple[str, ...]:
        """The names of all its tags."""
        return ("station", *self.constants, *self.levels, *self.labels)


class Point(NamedTuple):
    """One message as InfluxDB keeps it."""

    measurement: str
    tags: dict[str, str]
    fields: dict[str, Value]
    """Never empty, never null."""
    moment: int
    """Unix time of the measurement (ms)."""


def point(topic: Topic[Any], levels: Levels, message: Message) -> Point:
    """What a message of METRICS is stored as; the same one is always the same point.

    Raises KeyError for a topic that is not kept.
    """
    kept = MEASUREMENTS[topic.path]
    values = message.model_dump()
    tags = {"station": levels.get("station", HOME), **kept.constants}
    tags |= {name: levels[name] for name in kept.levels}
    tags |= {name: values[name] for name in kept.labels}
    fields = {
        name: stored(values[name], kind)
        for name, kind in kept.fields.items()
        if values[name] is not None
    }
    return Point(kept.name, tags, fields, moment(values["timestamp"]))


def stored(value: Any, kind: Kind) -> Value:
    """A payload's value in its field's type; an object is the number of its entries."""
    if isinstance(value, dict):
        return len(value)
    return float(value) if kind == "float" else typing.cast("Value", value)


def moment(timestamp: float) -> int:
    """Unix time (s) → ms, rounded as Telegraf does it, so that whatever is written twice is one."""
    return int((Decimal(repr(timestamp)) * 1000).quantize(Decimal(1), ROUND_HALF_UP))


def measurement(topic: Topic[Any]) -> Measurement:
    """The derivation of one."""
    parts = topic.path.split("/")[1:]
    labels = tuple(name for name in topic.model.model_fields if name in LABELS)
    return Measurement(
        topic,
        "_".join(part for part in parts if not part.startswith("{")),
        {"sensor": parts[1]} if parts[0] == "sensors" else {},
        tuple(part[1:-1] for part in parts if part.startswith("{")),
        labels,
        {
            name: kind
            for name, field in topic.model.model_fields.items()
            if name not in UNKEPT and (kind := kind_of(field.annotation)) is not None
        },
    )


def kind_of(annotation: Any) -> Kind | None:
    """The type of a field; None for what is no flat value and is not kept."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        (inner,) = (argument for argument in arguments if argument is not types.NoneType)
        return kind_of(inner)
    if origin is typing.Annotated:
        return kind_of(arguments[0])
    if origin is typing.Literal:
        return kind_of(type(arguments[0]))
    kinds: dict[Any, Kind] = {float: "float", int: "int", bool: "bool", str: "string"}
    return "int" if origin is dict else kinds.get(annotation)


MEASUREMENTS: Mapping[str, Measurement] = {topic.path: measurement(topic) for topic in METRICS}
"""Path of a topic in METRICS → its measurement."""
