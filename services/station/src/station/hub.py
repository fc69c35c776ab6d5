"""Runs a hub on this machine until Ctrl-C: `python -m station.hub barn coop`."""

import argparse
import os
import sys
from pathlib import Path

from . import broker, plan
from .__main__ import choose_folders, end_for, say, settle, supervise
from .supervisor import Program

SERVICES = ("chat", "history", "web")
CERTIFICATES = "/mosquitto/tls"
"""Where the shipped listener looks for its three files."""


def command_line() -> argparse.Namespace:
    """Which stations, and where everything is."""
    parser = argparse.ArgumentParser(prog="python -m station.hub", description=__doc__)
    parser.add_argument("stations", nargs="+", metavar="station", help="a station's name")
    parser.add_argument("--folder", type=Path, default=Path(".hub"), help="where it may write")
    parser.add_argument(
        "--tls",
        type=Path,
        metavar="FOLDER",
        help="ca.crt, server.crt and server.key: stations elsewhere reach port 8883",
    )
    return parser.parse_args()


def listener(tls: Path | None) -> str:
    """The encrypted listener for stations elsewhere."""
    if tls is None:
        say("no --tls: only stations on this machine reach the hub")
        return ""
    return broker.TLS.read_text(encoding="utf-8").replace(CERTIFICATES, str(tls.absolute()))


def main() -> None:
    """Write the configuration, become supervisord."""
    options = command_line()
    folder: Path = options.folder.absolute()
    choose_folders(folder)
    os.environ |= {"BEEPER_WEB__HUB": "true", "BEEPER_HISTORY__HUB": "true"}
    end_for(plan.missing_programs(["mosquitto"]))
    settings = settle(SERVICES)
    more = listener(options.tls)
    port = settings["mqtt"]["port"]
    start = broker.prepare(folder, SERVICES, port, stations=options.stations, more=more)
    programs = {"mosquitto": Program(start, {})}
    for name in SERVICES:
        command = [sys.executable, "-m", name]
        programs[name] = Program(command, broker.environment(folder, name))
    say(f"the stations: http://localhost:{settings['web']['port']}")
    for station in options.stations:
        say(f"password of {station}: {broker.password_file(folder, station)}")
    supervise(folder, programs)


if __name__ == "__main__":
    main()
