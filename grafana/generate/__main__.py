"""Writes the dashboards and the alert rules from the contract: `make dashboards`."""

import argparse
import json
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from operation import operation
from rules import provisioned
from station import station
from years import years

HERE = Path(__file__).resolve().parent.parent


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="grafana/generate", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=HERE, help="where to write")
    folder: Path = parser.parse_args().folder
    for board in (station(), operation(), years()):
        built = board.build()
        write(folder / "dashboards" / f"{built.uid}.json", built)
    write(folder / "provisioning" / "alerting" / "rules.json", provisioned())
    return 0


def write(file: Path, content: Any) -> None:
    """As Grafana reads it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, cls=JSONEncoder, indent=1, ensure_ascii=False)
    file.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
