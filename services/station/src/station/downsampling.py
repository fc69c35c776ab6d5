"""What InfluxDB does to keep readings for the long run: the task in Flux, from the contract."""

from collections.abc import Mapping
from datetime import UTC, datetime

from bus.points import (
    BROKER,
    LONG_BUCKET,
    MEASUREMENTS,
    ORGANISATION,
    RAW_BUCKET,
    STATISTICS,
    WINDOW,
)

TASK = "downsample"

OPTION = f'option task = {{name: "{TASK}", every: 15m, offset: 1m}}'
LATE = "date.sub(d: 2h, from: stop)"
"""Each run does the last two hours again, for what came late."""

SCRIPT = """\
import "date"

{option}

// Whole windows only.
stop = date.truncate(t: {stop}, unit: {window})
start = date.truncate(t: {start}, unit: {window})

numbers = from(bucket: "{raw}")
    |> range(start: start, stop: stop)
    |> filter(fn: (r) => {numbers})

flags = from(bucket: "{raw}")
    |> range(start: start, stop: stop)
    |> filter(fn: (r) => {flags})
    |> toFloat()

keep = (tables=<-, fn, statistic) => tables
    |> aggregateWindow(every: {window}, fn: fn, createEmpty: false, timeSrc: "_start")
    |> toFloat()
    |> set(key: "statistic", value: statistic)
    |> to(bucket: "{long}", org: "{organisation}")
    |> group()
    |> count()
"""
KINDS = {"numbers": ("float", "int"), "flags": ("bool",)}


def flux(since: datetime | None = None, until: datetime | None = None) -> str:
    """The task's text; with `since`, a query that does everything from then on once again.

    `until` ends it at the beginning of the window that this moment lies in.
    """
    head = SCRIPT.format(
        option="" if since else OPTION,
        start=literal(since) if since else LATE,
        stop=literal(until) if until else "now()",
        window=f"{WINDOW // 60}m",
        raw=RAW_BUCKET,
        long=LONG_BUCKET,
        organisation=ORGANISATION,
        **{name: condition(fields(*kinds)) for name, kinds in KINDS.items()},
    )
    yields = (
        f'{source} |> keep(fn: {statistic}, statistic: "{statistic}")'
        f' |> yield(name: "{source} {statistic}")\n'
        for source in KINDS
        for statistic in STATISTICS
    )
    return head + "\n" + "".join(yields)


def literal(moment: datetime) -> str:
    """A time as Flux writes it."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def fields(*kinds: str) -> Mapping[str, list[str]]:
    """Measurement → its fields of these kinds."""
    found = {
        kept.name: [name for name, kind in kept.fields.items() if kind in kinds]
        for kept in MEASUREMENTS.values()
    }
    if "float" in kinds:
        found[BROKER] = ["value"]
    return {name: each for name, each in found.items() if each}


def condition(wanted: Mapping[str, list[str]]) -> str:
    """A predicate that the storage engine evaluates itself."""
    each = (
        f'r._measurement == "{name}" and r._field =~ /^({"|".join(names)})$/'
        for name, names in wanted.items()
    )
    return "\n        or ".join(f"({one})" for one in each)
