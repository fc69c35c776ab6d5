"""Runs a hub on this machine until Ctrl-C: `python -m station.hub barn coop`."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from bus.settings import unknown_keys

from . import broker, plan
from .__main__ import check, choose_folders, end_for, say, settle, supervise
from .supervisor import Program

SERVICES = ("chat", "history")
"""What runs once; `web` as often as it is asked for."""
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
    parser.add_argument(
        "--web",
        type=int,
        choices=range(1, 10),
        default=1,
        metavar="COUNT",
        help="web processes, on ports one after another, for a proxy that shares viewers out",
    )
    return parser.parse_args()


def listener(tls: Path | None) -> str:
    """The encrypted listener for stations elsewhere."""
    if tls is None:
        say("no --tls: only stations on this machine reach the hub")
        return ""
    return broker.TLS.read_text(encoding="utf-8").replace(CERTIFICATES, str(tls.absolute()))


def replicas(settings: dict[str, Any], count: int) -> dict[str, int]:
    """The port of each web process; ends the program where one is taken."""
    web = settings["web"]
    for port in range(web["port"] + 1, web["port"] + count):
        end_for(check(settings | {"web": web | {"port": port}}))
    return {
        f"web-{number}" if number > 1 else "web": web["port"] + number - 1
        for number in range(1, count + 1)
    }


def programs(
    folder: Path, ports: dict[str, int], broker_port: int, **options: Any
) -> dict[str, Program]:
    """Instance → what to run, the broker first; `options` as of `broker.prepare`."""
    names = (*SERVICES, *ports)
    found = {"mosquitto": Program(broker.prepare(folder, names, broker_port, **options), {})}
    for name in names:
        own = {"BEEPER_WEB__PORT": str(ports[name])} if name in ports else {}
        command = [sys.executable, "-m", *name.split("-")]
        login = broker.environment(folder, name) | broker.reach(folder)
        found[name] = Program(command, login | own)
    return found


def main() -> None:
    """Write the configuration, become supervisord."""
    options = command_line()
    end_for([*unknown_keys(), *plan.missing_programs(["mosquitto"])])
    folder: Path = options.folder.absolute()
    choose_folders(folder)
    os.environ |= {"BEEPER_WEB__HUB": "true", "BEEPER_HISTORY__HUB": "true"}
    settings = settle((*SERVICES, "web"))
    ports = replicas(settings, options.web)
    more = listener(options.tls)
    mqtt = settings["mqtt"]["port"]
    found = programs(folder, ports, mqtt, stations=options.stations, more=more)
    say("the stations: " + ", ".join(f"http://localhost:{port}" for port in ports.values()))
    for station in options.stations:
        say(f"password of {station}: {broker.password_file(folder, station)}")
    supervise(folder, found, settings)


if __name__ == "__main__":
    main()
