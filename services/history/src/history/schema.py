"""The tables: one for each measurement of the contract, one row for each message."""

import sqlite3
from collections.abc import Iterable

from bus.points import MEASUREMENTS, WINDOW, Measurement

from .boots import TABLES

TYPES = {"float": "REAL", "int": "INTEGER", "bool": "INTEGER", "string": "TEXT"}
SERIES = """
CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY,
    measurement TEXT NOT NULL,
    tags TEXT NOT NULL,
    interval REAL NOT NULL,
    fields TEXT NOT NULL,
    rolled INTEGER NOT NULL,
    UNIQUE (measurement, tags)
) STRICT
"""
"""`tags` and `fields` (those that ever had a value) are JSON, `interval` is the last one (s),
`rolled` the time (ms) up to which there are windows."""
KEEP = "INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?, ?, ?)"
KEY = "series INTEGER NOT NULL, moment INTEGER NOT NULL"
WIDE = WINDOW * 1000


def prepare(database: sqlite3.Connection) -> None:
    """Make what is missing: tables, columns of a contract that has grown, and those in memory."""
    for table in (SERIES, *TABLES):
        database.execute(table)
    for kept in MEASUREMENTS.values():
        columns = [f"{quoted(name)} {TYPES[kind]}" for name, kind in kept.fields.items()]
        windows = [f"{quoted(name)} REAL" for name in window_columns(kept)]
        make(database, f"main.{kept.name}", columns)
        make(database, f"main.{kept.name}_windows", windows)
        make(database, f"temp.{kept.name}", columns)


def make(database: sqlite3.Connection, table: str, columns: Iterable[str]) -> None:
    """A table with these columns; one that exists gets those that it lacks."""
    schema, name = table.split(".")
    about = f"{KEY}, {', '.join(columns)}, PRIMARY KEY (series, moment)"
    database.execute(f"CREATE TABLE IF NOT EXISTS {table} ({about}) WITHOUT ROWID, STRICT")
    there = {row[1] for row in database.execute(f"PRAGMA {schema}.table_info({name})")}
    for column in columns:
        if column.split('"')[1] not in there:
            database.execute(f"ALTER TABLE {table} ADD COLUMN {column}")


def window_columns(kept: Measurement) -> list[str]:
    """The columns of a window: mean, least and most of every number."""
    return [f"{name}{end}" for name in kept.numbers for end in ("", "_min", "_max")]


def insert(kept: Measurement) -> str:
    """The statement that adds a row in memory, or overwrites that of the same series and time."""
    names = ", ".join(quoted(name) for name in kept.fields)
    marks = ", ".join("?" * (2 + len(kept.fields)))
    return f"INSERT OR REPLACE INTO temp.{kept.name} (series, moment, {names}) VALUES ({marks})"


def move(kept: Measurement) -> str:
    """The statement that writes what is in memory to the disk."""
    names = ", ".join(("series", "moment", *map(quoted, kept.fields)))
    into = f"INSERT OR REPLACE INTO main.{kept.name} ({names})"
    return f"{into} SELECT {names} FROM temp.{kept.name}"


def shift(kept: Measurement, into: str) -> str:
    """The statement that copies rows of a series to another one, at other times.

    Parameters: the series, ms to add, the series from which, and between which times (ms).
    """
    names = ", ".join(map(quoted, kept.fields))
    return (
        f"INSERT OR REPLACE INTO {into} (series, moment, {names}) "
        f"SELECT ?, moment + ?, {names} FROM main.{kept.name} "
        "WHERE series = ? AND moment BETWEEN ? AND ?"
    )


def roll(kept: Measurement) -> str:
    """The statement that makes the windows of a series between two times."""
    names = ", ".join(map(quoted, window_columns(kept)))
    values = ", ".join(
        f"{function}({quoted(name)})" for name in kept.numbers for function in ("avg", "min", "max")
    )
    return (
        f"INSERT OR REPLACE INTO main.{kept.name}_windows (series, moment, {names}) "
        f"SELECT series, moment / {WIDE} * {WIDE}, {values} FROM main.{kept.name} "
        f"WHERE series = ? AND moment >= ? AND moment < ? GROUP BY moment / {WIDE}"
    )


def quoted(name: str) -> str:
    """A column's name; it comes from the contract, never from a message."""
    return f'"{name}"'
