"""The newest message of every topic that a page shows."""

import json
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from bus import Bus, Levels, Message, Metric, Topic, wall_clock
from bus.kernel_clock import boot_id, boottime
from bus.messages import Timed
from bus.rights import BRIDGED
from bus.topics import (
    AUDIO,
    CAMERA_METADATA,
    CAMERA_STATUS,
    CLIMATE,
    CPU,
    RELAY_STATUS,
    SERVICE_STATUS,
    STEPPER_LEASE,
    STEPPER_STATUS,
    SYSTEM,
    WEBRTC_STATUS,
    M,
)

MOST = 500
"""Topics that are remembered: a flood of invented names must not fill the memory."""
LOST_AFTER = 30.0
"""Seconds after which a service's status counts as lost, whatever it says."""
ROOT = "beeper/"

SHOWN: tuple[Topic[Any], ...] = (
    *(CLIMATE, CPU, SYSTEM, AUDIO, WEBRTC_STATUS),
    *(CAMERA_METADATA, CAMERA_STATUS, RELAY_STATUS, SERVICE_STATUS),
    *(STEPPER_STATUS, STEPPER_LEASE),
)
REMOTE = tuple(topic for topic in SHOWN if topic in BRIDGED and topic is not STEPPER_STATUS)
"""Of a station on a hub, whose motor nobody there can command."""


class Reading(NamedTuple):
    """One message and its text for the page."""

    message: Message
    text: str
    heard: float
    """CLOCK_BOOTTIME (s)."""


class Readings:
    """Hears the topics from the first moment on, and passes each message to `on_reading`."""

    def __init__(self, bus: Bus, topics: Iterable[Topic[Any]] = SHOWN) -> None:
        self.latest: dict[str, Reading] = {}
        self.on_reading: Callable[[str, Reading], None] = lambda name, reading: None
        self.ignored = 0
        wall_clock.CLOCK.on_jump.append(self.shift)
        for topic in topics:
            self._hear(bus, topic)

    def get(self, topic: Topic[M], **levels: str) -> M | None:
        """The newest message of a topic; None when there never was one."""
        reading = self.latest.get(short_name(topic, levels))
        return reading.message if reading and isinstance(reading.message, topic.model) else None

    def each(self, topic: Topic[M]) -> dict[str, M]:
        """The newest message of every camera, relay or instance, by its name."""
        before, after = topic.path.removeprefix(ROOT).split("{")[0], topic.path.split("}")[1]
        return {
            name[len(before) : -len(after)]: reading.message
            for name, reading in sorted(self.latest.items())
            if name.startswith(before)
            and name.endswith(after)
            and isinstance(reading.message, topic.model)
        }

    def shift(self, seconds: float) -> None:
        """The clock was set by so much: what was said by the old time keeps its age."""
        before = wall_clock.offset() - seconds
        for name, reading in self.latest.items():
            timestamp: float | None = getattr(reading.message, "timestamp", None)
            if timestamp is None:
                continue
            age = reading.heard + before - timestamp
            if abs(age) < abs(age + seconds):
                moved = {"timestamp": max(1.0, timestamp + seconds)}
                message = reading.message.model_copy(update=moved)
                text = message_text(name, message)
                self.latest[name] = reading._replace(message=message, text=text)

    def _hear(self, bus: Bus, topic: Topic[M]) -> None:
        def take(message: M, levels: Levels) -> None:
            name = short_name(topic, levels)
            if name not in self.latest and len(self.latest) >= MOST:
                self.ignored += 1
                return
            message = as_of_arrival(message)
            reading = Reading(message, message_text(name, message), boottime())
            self.latest[name] = reading
            self.on_reading(name, reading)

        bus.subscribe(topic, take)


def as_of_arrival(message: M) -> M:
    """On a hub: what a station without a time says has the time at which it was heard."""
    about = message.boot_time if isinstance(message, Timed) else None
    if about is None or about.state != "unset" or about.boot == boot_id():
        return message
    return message.model_copy(update={"timestamp": wall_clock.now()})


def short_name(topic: Topic[M], levels: Levels) -> str:
    """A topic's name below `beeper/`, as the page knows it."""
    return topic.path.format_map(levels).removeprefix(ROOT)


def message_text(name: str, message: Message) -> str:
    """The text of one message for the page."""
    topic = json.dumps(name)
    return f'{{"type":"message","topic":{topic},"message":{message.model_dump_json()}}}'


def age(message: Metric) -> float:
    """Seconds since the measurement; never below zero, whatever the clocks say."""
    return max(0.0, round(wall_clock.now() - message.timestamp, 3))


def stale(message: Metric, every: float | None) -> bool:
    """Whether a reading is older than three of its intervals."""
    interval = message.interval or every
    return interval is not None and age(message) > 3 * interval
