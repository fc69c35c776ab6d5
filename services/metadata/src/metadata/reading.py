"""What a record becomes on the bus: the fields that are sane, and the time of the measurement."""

import functools
import re
import time
from typing import NamedTuple

from bus import wall_clock
from bus.messages import CameraMetadata, Metric
from pydantic import ValidationError

MAX_TEXT = 200
MAX_LIST = 64
_INT64 = 2**63

SLACK = 10.0
"""A frame's own time farther than this from when it was written belongs to another clock (s)."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_OWN = frozenset(Metric.model_fields)
_NUMBERS = frozenset(CameraMetadata.model_fields) - _OWN


class Now(NamedTuple):
    """The clocks of this moment (s)."""

    wall: float
    boot: float

    @classmethod
    def read(cls) -> "Now":
        return cls(wall_clock.now(), time.clock_gettime(time.CLOCK_BOOTTIME))


def reading(fields: dict[str, object], written: float, every: float, now: Now) -> CameraMetadata:
    """The message for a record that was written at `written` (Unix time), published `every` s."""
    sane = {name: value for name, value in fields.items() if _sane(name, value)}
    duration = sane.get("FrameDuration", 0)
    believed = written if 0 < written <= now.wall else now.wall
    sane |= {
        "timestamp": measured_at(sane, believed, now),
        "interval": max(every, duration / 1e6) if isinstance(duration, int | float) else every,
        "simulated": bool(sane.pop("Simulated", False)),
    }
    try:
        return CameraMetadata.model_validate(sane)
    except ValidationError as error:
        for wrong in error.errors():
            sane.pop(str(wrong["loc"][0]), None)
        return CameraMetadata.model_validate(sane)


def measured_at(fields: dict[str, object], written: float, now: Now) -> float:
    """When the frame was taken (Unix time, s): by the sensor, by libcamera, else when written.

    `SensorTimestamp` counts ns of CLOCK_BOOTTIME, `FrameWallClock` ns of the wall clock. Each is
    believed near the time of writing only: a file may be older than this boot or than the last
    setting of the clock.
    """
    times = []
    if isinstance(sensor := fields.get("SensorTimestamp"), int):
        times.append(now.wall - now.boot + sensor / 1e9)
    if isinstance(wall := fields.get("FrameWallClock"), int):
        times.append(wall / 1e9)
    return next((at for at in times if abs(at - written) <= SLACK), written)


def _sane(name: str, value: object) -> bool:
    if not _named(name):
        return False
    if _number(value):
        return True
    if name in _NUMBERS:
        return False
    if isinstance(value, list):
        return len(value) <= MAX_LIST and all(map(_number, value))
    if isinstance(value, str):
        return len(value) <= MAX_TEXT and value.isprintable()
    return isinstance(value, bool)


def _number(value: object) -> bool:
    # The bounds refuse NaN and infinity too.
    return (type(value) is int or type(value) is float) and -_INT64 <= value < _INT64


@functools.lru_cache(maxsize=256)
def _named(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and name not in _OWN
