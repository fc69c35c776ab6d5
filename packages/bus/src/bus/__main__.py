"""Prints docs/topics.md, the contract for reading: `python -m bus > docs/topics.md`."""

import sys
import types
import typing
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from .topics import MEDIA, REPLY, REQUESTS, TOPICS, MediaTopic, Request, Topic

INTRODUCTION = """\
# Topics

Generated from `packages/bus` by `make topics`; a test fails when this page is stale.

`beeper/#` is JSON for people and programs, `media/#` is binary. On a hub every topic may stand
under `stations/<station>/`. `timestamp` is Unix seconds of the measurement; unknown is `null`,
never 0. Every metric may carry `interval` (s until the next one) and `simulated`.

While the sender's clock is not known to be right, what has a `timestamp` carries `boot_time` too:
boot id (`boot`), CLOCK_BOOTTIME of the same moment (`boottime`, s) and `state`, which is `unset`
(the timestamp is wrong) or `unconfirmed` (nobody vouches for it). The status of a service goes on
to carry it as `known`: its `timestamp` minus its `boottime` is what readings of that boot lack.
"""
COMMON = ("timestamp", "interval", "simulated", "boot_time")


def page() -> str:
    """The whole document."""
    parts = [INTRODUCTION, "## Telemetry and commands: `beeper/#`\n"]
    parts += [topic_section(topic) for topic in TOPICS]
    parts += ["## Requests (MQTT 5 request/response)\n", f"Answers arrive at `{REPLY}`.\n"]
    parts += [request_section(request) for request in REQUESTS]
    parts += ["## Media: `media/#`\n", media_table(MEDIA)]
    return "\n".join(parts)


def topic_section(topic: Topic[Any]) -> str:
    """One topic with the table of its fields."""
    every = f"every {topic.every:g} s" if topic.every else "event or on change"
    kind = "retained" if topic.retain else "never retained"
    about = f"{topic.about}. QoS {topic.qos}, {kind}, {every}."
    return f"### `{topic.path}`\n\n{about}\n\n{fields(topic.model)}"


def request_section(request: Request[Any, Any]) -> str:
    """One question and its answer."""
    answer = f"Answer:\n\n{fields(request.answer)}"
    return f"### `{request.path}`\n\n{request.about}.\n\n{fields(request.query)}\n{answer}"


def media_table(topics: tuple[MediaTopic, ...]) -> str:
    """The binary topics."""
    rows = [
        f"| `{topic.path}` | {topic.about} | {topic.qos} | {'yes' if topic.retain else 'no'} |"
        for topic in topics
    ]
    return "\n".join(["| topic | payload | QoS | retained |", "|---|---|---|---|", *rows, ""])


def fields(model: type[BaseModel]) -> str:
    """The table of a payload's own fields."""
    rows = [
        f"| {name} | {type_name(field.annotation)} | {field.description or ''} |"
        for name, field in model.model_fields.items()
        if name not in COMMON
    ]
    return "\n".join(["| field | type | meaning |", "|---|---|---|", *rows, ""])


def type_name(annotation: Any) -> str:
    """A type as a reader of JSON would say it."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is types.NoneType:
        return "null"
    if origin is typing.Annotated:
        return type_name(arguments[0])
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(type_name(argument) for argument in arguments)
    if origin is list:
        return f"list of {type_name(arguments[0])}"
    if origin is dict:
        return f"object: {type_name(arguments[0])} → {type_name(arguments[1])}"
    names = {str: "string", float: "number", int: "integer", bool: "boolean"}
    return names.get(annotation) or field_list(annotation)


def field_list(annotation: Any) -> str:
    """A nested object by its field names."""
    inner: dict[str, FieldInfo] = annotation.model_fields
    return "{" + ", ".join(inner) + "}"


if __name__ == "__main__":
    sys.stdout.write(page())
