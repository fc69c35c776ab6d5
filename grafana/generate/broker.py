"""Queries for Mosquitto's figures ($SYS), which it repeats only when they change."""

from collections.abc import Mapping

from bus.points import BROKER, BROKER_STATISTICS, RAW_BUCKET
from flux import RANGE, means

BOUNDS = "start: v.timeRangeStart, stop: v.timeRangeStop"
BEFORE = "7d"
"""How far back the value is looked for that held when the reader's range began."""


def broker(names: Mapping[str, str]) -> str:
    """One line for each statistic → its name in the legend; 0 until Mosquitto has told it."""
    for name in names:
        if name not in BROKER_STATISTICS:
            raise KeyError(name)
    wanted = " or ".join(f'r.name == "{name}"' for name in names)
    rows = ", ".join(f'{{_time: v.timeRangeStart, _value: 0.0, name: "{n}"}}' for n in names)
    earlier = f"start: date.sub(d: {BEFORE}, from: v.timeRangeStart), stop: v.timeRangeStart"
    # Behind the 0 of the same series: `last` takes whatever comes later.
    beginning = "date.add(d: 1ms, to: v.timeRangeStart)"
    return "\n".join(
        (
            f"never = array.from(rows: [{rows}])",
            f"before = {said(earlier, wanted)}\n  |> last()\n  |> {shaped(beginning)}",
            f"since = {said(BOUNDS, wanted)}\n  |> {shaped('r._time')}",
            "",
            "union(tables: [never, before, since])",
            # Once more: the windows reach over the bounds of what they are made of.
            f"  |> {RANGE}",
            '  |> group(columns: ["name", "_start", "_stop"])',
            '  |> sort(columns: ["_time"])',
            f"  |> {means('last')}",
            "  |> fill(usePrevious: true)",
            f"  |> map(fn: (r) => ({{_time: r._time, _value: r._value, name: {legend(names)}}}))",
            '  |> group(columns: ["name"])',
        )
    )


def said(bounds: str, wanted: str) -> str:
    """What Mosquitto said within bounds."""
    return (
        f'from(bucket: "{RAW_BUCKET}")\n  |> range({bounds})\n'
        f'  |> filter(fn: (r) => r._measurement == "{BROKER}" and r._field == "value"'
        f" and ({wanted}))"
    )


def shaped(time: str) -> str:
    """What is left of each row, at a time."""
    return f"map(fn: (r) => ({{_time: {time}, _value: r._value, name: r.name}}))"


def legend(names: Mapping[str, str]) -> str:
    """The statistic's name for people, as an expression in Flux."""
    chain = "".join(f'if r.name == "{name}" then "{text}" else ' for name, text in names.items())
    return f"{chain}r.name"
