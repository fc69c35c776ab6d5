"""Runs the alert rules' queries over points in memory, as InfluxDB 2 was seen to do it.

Times are ns since 1970. A table is its group key and its rows, both by column.
"""

import itertools
import operator
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from flux_syntax import FluxError, Node, parse
from flux_text import named

Row = dict[str, Any]
SYSTEM = ("_start", "_stop", "_measurement", "_field")
OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
AGGREGATES: Mapping[str, Callable[[list[Any]], Any]] = {
    "mean": lambda values: sum(values) / len(values),
    "max": max,
    "min": min,
    "last": lambda values: values[-1],
}


class Table(NamedTuple):
    """Rows that have the columns of the group key in common."""

    key: Mapping[str, Any]
    rows: list[Row]


Tables = list[Table]


def run(flux: str, points: Iterable[Row], start: int, stop: int) -> Tables:
    """What a query yields when Grafana asks for `start` to `stop` (ns)."""
    statements, asked = read(flux)
    of_use = [row for row in points if (row["_measurement"], row["_field"]) in asked]
    names: dict[str, Any] = {
        "points": of_use,
        "v": {"timeRangeStart": start, "timeRangeStop": stop},
    }
    for name, node in statements:
        names[name] = evaluate(node, names)
    found: Tables = names[""]
    return found


@cache
def read(flux: str) -> tuple[list[tuple[str, Node]], frozenset[tuple[str, str]]]:
    """The statements of a query, and the measurements and fields that it can find."""
    asked = named(flux)
    return parse(flux), frozenset(itertools.product(asked.measurements, asked.fields))


def nanoseconds(text: str) -> int:
    """A time as Flux writes it → ns."""
    return round(datetime.fromisoformat(text).timestamp() * 1e6) * 1000


def evaluate(node: Node, names: Mapping[str, Any]) -> Any:
    """The value of an expression; null is None, and what is compared with null is null."""
    match node:
        case ("value", value):
            return value
        case ("time", text):
            return nanoseconds(text)
        case ("name", name):
            return names.get(name, name)
        case ("member", ("name", "date"), name):
            return f"date.{name}"
        case ("member", owner, name):
            return evaluate(owner, names).get(name)
        case ("array", items):
            return [evaluate(item, names) for item in items]
        case ("record", base, fields):
            own = {name: evaluate(value, names) for name, value in fields.items()}
            return (evaluate(base, names) if base else {}) | own
        case ("function", parameter, body):
            return lambda row: evaluate(body, {**names, parameter: row})
        case ("exists", inner):
            return evaluate(inner, names) is not None
        case ("not", inner):
            return not evaluate(inner, names)
        case ("if", condition, then, otherwise):
            return evaluate(then if evaluate(condition, names) else otherwise, names)
        case ("pipe", source, ("call", callee, arguments)):
            return call(callee, arguments, names, evaluate(source, names))
        case ("call", callee, arguments):
            return call(callee, arguments, names)
        case ("binary", sign, left, right):
            return binary(sign, left, right, names)
    raise FluxError(f"not known here: {node[0]}")


def binary(sign: str, left: Node, right: Node, names: Mapping[str, Any]) -> Any:
    """Logic stops early; anything else with null is null."""
    first = evaluate(left, names)
    if sign in ("and", "or"):
        if bool(first) == (sign == "or"):
            return bool(first)
        return bool(evaluate(right, names))
    second = evaluate(right, names)
    if first is None or second is None:
        return None
    return OPERATORS[sign](first, second)


def call(callee: Node, arguments: Mapping[str, Node], names: Mapping[str, Any], *piped: Any) -> Any:
    """A function of Flux by its name; FluxError for one that is not imitated."""
    name = evaluate(callee, {}) if callee[0] == "member" else callee[1]
    given = {key: evaluate(value, names) for key, value in arguments.items()}
    if name == "from":
        return names["points"]
    if name not in FUNCTIONS:
        raise FluxError(f"{name} is not imitated")
    return FUNCTIONS[name](*piped, **given)


def regroup(rows: Iterable[Row], columns: Iterable[str]) -> Tables:
    """Rows by the columns of a key; one that a row lacks is not in its key."""
    tables: dict[tuple[Any, ...], Table] = {}
    columns = list(columns)
    for row in rows:
        key = {name: row[name] for name in columns if row.get(name) is not None}
        tables.setdefault(tuple(key.items()), Table(key, [])).rows.append(row)
    return list(tables.values())


def every_row(tables: Tables) -> Iterable[Row]:
    """All rows."""
    return itertools.chain.from_iterable(table.rows for table in tables)


def within(points: list[Row], start: int, stop: int) -> Tables:
    """range(): each series is a table."""
    rows = [
        {**point, "_start": start, "_stop": stop}
        for point in points
        if start <= point["_time"] < stop
    ]
    tags = {name for row in rows for name in row if not name.startswith("_")}
    return regroup(sorted(rows, key=lambda row: row["_time"]), (*SYSTEM, *sorted(tags)))


def filtered(tables: Tables, fn: Callable[[Row], Any]) -> Tables:
    """filter(): a table without rows is gone."""
    found = (Table(table.key, [row for row in table.rows if fn(row)]) for table in tables)
    return [table for table in found if table.rows]


def windows(tables: Tables, every: int, fn: str, createEmpty: bool) -> Tables:
    """aggregateWindow(): a window's time is its end, or that of the range if it is cut off."""
    if createEmpty:
        raise FluxError("a rule has no use for empty windows")
    found = []
    for table in tables:
        rows = []
        for window, group in itertools.groupby(table.rows, lambda row: row["_time"] // every):
            end = min((window + 1) * every, table.key["_stop"])
            value = AGGREGATES[fn]([row["_value"] for row in group])
            rows.append({**table.key, "_time": end, "_value": value})
        found.append(Table(table.key, rows))
    return found


def mapped(tables: Tables, fn: Callable[[Row], Row]) -> Tables:
    """map(): a column of the key that the new row lacks leaves the key."""
    found: Tables = []
    for table in tables:
        found += regroup((fn(row) for row in table.rows), table.key)
    return found


def kept(tables: Tables, columns: list[str]) -> Tables:
    """keep(): tables whose keys have become equal are one."""
    key = {name for table in tables for name in table.key if name in columns}
    rows = ({name: row[name] for name in columns if name in row} for row in every_row(tables))
    return regroup(rows, sorted(key))


def renamed(tables: Tables, columns: Mapping[str, str]) -> Tables:
    """rename()."""

    def rename(row: Mapping[str, Any]) -> Row:
        return {columns.get(name, name): value for name, value in row.items()}

    return [Table(rename(table.key), [rename(row) for row in table.rows]) for table in tables]


def pivoted(tables: Tables, rowKey: list[str], columnKey: list[str], valueColumn: str) -> Tables:
    """pivot() with one column for the columns' names."""
    (column,) = columnKey
    merged: dict[tuple[Any, ...], Row] = {}
    for row in every_row(tables):
        rest = {k: v for k, v in row.items() if k not in (column, valueColumn)}
        merged.setdefault(tuple(sorted(rest.items())), rest)[row[column]] = row[valueColumn]
    key = {name for table in tables for name in table.key} - {column}
    assert rowKey == ["_time"]
    return regroup(merged.values(), sorted(key))


def joined(tables: Mapping[str, Tables], on: list[str]) -> Tables:
    """join(): columns that both sides have get the side's name behind theirs."""
    (one, left), (other, right) = sorted(tables.items())
    found = []
    for a, b in itertools.product(every_row(left), every_row(right)):
        if any(a[name] != b[name] for name in on):
            continue
        both = (a.keys() & b.keys()) - set(on)
        row = {f"{k}_{one}" if k in both else k: v for k, v in a.items()}
        found.append(row | {f"{k}_{other}" if k in both else k: v for k, v in b.items()})
    return regroup(found, on)


def to_float(tables: Tables) -> Tables:
    """toFloat(): true is 1."""
    return mapped(tables, lambda row: {**row, "_value": float(row["_value"])})


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "range": within,
    "filter": filtered,
    "last": lambda tables: [Table(table.key, table.rows[-1:]) for table in tables],
    "max": lambda tables, column: [
        Table(table.key, [max(table.rows, key=lambda row: row[column])]) for table in tables
    ],
    "toFloat": to_float,
    "aggregateWindow": windows,
    "map": mapped,
    "group": lambda tables, columns=(): regroup(every_row(tables), columns),
    "keep": kept,
    "rename": renamed,
    "pivot": pivoted,
    "join": lambda tables, on: joined(tables, on),
    "float": lambda v: float(v),
    "int": lambda v: int(v),
    "date.truncate": lambda t, unit: t - t % unit,
    "date.sub": lambda d, **given: given["from"] - d,
}
