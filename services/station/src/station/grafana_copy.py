"""`python -m station.grafana_copy FOLDER IMAGE`: Grafana's database, kept before a new version.

Grafana changes its database when a newer version starts, and an older one cannot read it any more.
So before another image starts than the last time, the database is copied beside itself: SQLite's
own backup, which is whole even while the old Grafana still writes. The newest copies stay.
"""

import argparse
import contextlib
import re
import sqlite3
import sys
from pathlib import Path

DATABASE = "grafana.db"
MARK = "beeper-keeper.image"
"""Which image had the database last."""
KEPT = 2
"""Copies; each is as large as the database, a few MB."""


def main() -> int:
    """The command; 1 with one line when there can be no copy: Grafana is not started then."""
    parser = argparse.ArgumentParser(prog="python -m station.grafana_copy", description=__doc__)
    parser.add_argument("folder", type=Path, help="where Grafana keeps its data")
    parser.add_argument("image", help="the image that is about to start")
    given = parser.parse_args()
    try:
        if made := before(given.folder, given.image):
            sys.stdout.write(f"grafana: {made} is the database as it was before {given.image}\n")
    except (OSError, sqlite3.Error) as error:
        sys.stderr.write(f"grafana: no copy of the database before {given.image}: {error}\n")
        return 1
    return 0


def before(folder: Path, image: str) -> Path | None:
    """Copy the database unless this image had it last; the copy, if one was made."""
    mark, database = folder / MARK, folder / DATABASE
    last = mark.read_text(encoding="utf-8").strip() if mark.exists() else ""
    made = None
    if last != image and database.exists():
        made = copy(database, folder / f"{DATABASE}.before-{re.sub(r'[^0-9A-Za-z.-]', '-', image)}")
        for old in copies(folder)[KEPT:]:
            old.unlink()
    if last != image:
        mark.write_text(f"{image}\n", encoding="utf-8")
    return made


def copy(database: Path, target: Path) -> Path:
    """SQLite's backup of a database; half a copy never has the name of a whole one."""
    part = target.with_name(f".{target.name}")
    part.unlink(missing_ok=True)
    with (
        contextlib.closing(sqlite3.connect(database)) as source,
        contextlib.closing(sqlite3.connect(part)) as out,
    ):
        source.backup(out)
    return part.replace(target)


def copies(folder: Path) -> list[Path]:
    """Those that are there, the newest first."""
    found = folder.glob(f"{DATABASE}.before-*")
    return sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)


if __name__ == "__main__":
    raise SystemExit(main())
