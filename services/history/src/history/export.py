"""Readings as InfluxDB's line protocol: `python -m history.export --since …`."""

import argparse
import contextlib
import json
import sqlite3
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from bus import settings as configuration
from bus.points import Measurement
from bus.settings import SettingsError
from influxdb_client.client.write.point import Point
from influxdb_client.domain.write_precision import WritePrecision

from .boots import BOOT
from .schema import quoted
from .series import KEPT
from .settings import Settings
from .store import FILE


def lines(database: sqlite3.Connection, since: int, until: int) -> Iterator[str]:
    """Every reading between two times (ms), one line each, series after series."""
    for key, measurement, tags in database.execute("SELECT id, measurement, tags FROM series"):
        about = json.loads(tags)
        # What has no time yet is for no time series.
        if (kept := KEPT.get(measurement)) and BOOT not in about:
            yield from lines_of(database, kept, key, about, since, until)


def lines_of(
    database: sqlite3.Connection,
    kept: Measurement,
    key: int,
    tags: dict[str, str],
    since: int,
    until: int,
) -> Iterator[str]:
    """Those of one series."""
    names = ", ".join(map(quoted, kept.fields))
    rows = database.execute(
        f"SELECT moment, {names} FROM {kept.name} WHERE series = ? AND moment >= ? AND moment < ?",
        (key, since, until),
    )
    for moment, *values in rows:
        about = Point(kept.name).time(moment, WritePrecision.MS)
        for name, value in tags.items():
            about.tag(name, value)
        for (name, kind), value in zip(kept.fields.items(), values, strict=True):
            about.field(name, bool(value) if kind == "bool" and value is not None else value)
        yield about.to_line_protocol()


def moment_of(text: str) -> int:
    """A time of the command line (ISO 8601; without a zone it is local) in ms."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m history.export",
        description="Print readings as InfluxDB's line protocol, times in ms: for what Telegraf "
        "has missed. The service may go on meanwhile; what it has not yet written is not in it.",
        epilog="Into InfluxDB: influx write --bucket sensors --precision ms --file …",
    )
    parser.add_argument(
        "--since", required=True, type=moment_of, help="such as 2026-11-24 or 2026-11-24T06:00"
    )
    parser.add_argument("--until", type=moment_of, help="default: now")
    parser.add_argument("--state-dir", type=Path, help="where history.sqlite is")
    return parser.parse_args()


def main() -> None:
    """Print what is asked for; exit code 1 when there is no such file or it cannot be read."""
    asked = options()
    try:
        folder = asked.state_dir or configuration.load(Settings).state_dir
    except SettingsError as error:
        sys.exit(str(error))
    file = folder / FILE
    until = asked.until or round(datetime.now().timestamp() * 1000) + 1  # noqa: DTZ005 (only its Unix time)
    try:
        with contextlib.closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
            for line in lines(database, asked.since, until):
                sys.stdout.write(line + "\n")
    except (sqlite3.Error, ValueError) as error:
        sys.exit(f"{file}: {error}")


if __name__ == "__main__":
    main()
