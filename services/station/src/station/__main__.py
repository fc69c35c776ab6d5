"""Runs the whole station on this machine until Ctrl-C: `make run`."""

import argparse
import os
import pwd
import secrets
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from bus.settings import SettingsError, unknown_keys

from . import bridge, broker, hardware, limits, plan, reach, supervisor
from .supervisor import Program

CLOSING = "BEEPER_WEB__HOST={host} make run"
STARTED = "started"
"""A file in `runtime_dir` that is another one at each start of the whole station, for `chat`."""


def say(line: str) -> None:
    """One line to whoever started the station."""
    sys.stderr.write(f"station: {line}\n")


def choose_drivers() -> None:
    """Set simulated drivers where no hardware is found and the user has not chosen."""
    for part, missing, simulated in hardware.findings():
        open_ones = {k: v for k, v in simulated.items() if not plan.chosen(k)}
        if missing and open_ones:
            settings = " ".join(f"{key}={value}" for key, value in open_ones.items())
            say(f"{part}: {missing}, so it is SIMULATED ({settings})")
            os.environ.update(open_ones)


def choose_folders(folder: Path) -> None:
    """Keep everything below one folder, unless the user has chosen another."""
    for variable, name in (("BEEPER_RUNTIME_DIR", "runtime"), ("BEEPER_STATE_DIR", "state")):
        (folder / name).mkdir(parents=True, exist_ok=True)
        if not plan.chosen(variable):
            os.environ[variable] = str(folder / name)


def check(settings: dict[str, Any]) -> list[str]:
    """What stands in the way, in words with the way out."""
    wrong = []
    web, mqtt = settings["web"], settings["mqtt"]
    if plan.taken(web["host"], web["port"]):
        wrong.append(
            f"port {web['port']} (the page) is taken; choose another with BEEPER_WEB__PORT=8081"
        )
    if mqtt["host"] in plan.LOOPBACK and plan.taken("127.0.0.1", mqtt["port"]):
        wrong.append(
            f"port {mqtt['port']} (MQTT) is taken, perhaps by a Mosquitto of this machine; "
            "choose another with BEEPER_MQTT__PORT=1884"
        )
    return wrong


def end_for(wrong: list[str]) -> None:
    """End the program with these lines, if there are any."""
    if wrong:
        sys.exit("\n".join(f"station: {line}" for line in wrong))


def settle(services: Iterable[str]) -> dict[str, Any]:
    """What is in force for these services; ends the program where that cannot run here."""
    try:
        settings = plan.all_settings(services)
    except ValueError as error:
        sys.exit(str(error))
    end_for(check(settings))
    return settings


def programs(folder: Path, settings: dict[str, Any]) -> dict[str, Program]:
    """Instance → what to run, the broker first when it is ours to start."""
    commands = plan.commands(settings)
    if not settings["stepper"]["enabled"]:
        del commands["stepper"]
    mqtt = settings["mqtt"]
    if mqtt["host"] not in plan.LOOPBACK:
        return {name: Program(command, {}) for name, command in commands.items()}
    more = bridge.beside(bridge.hub()) if settings["hub"]["host"] else ""
    start = broker.prepare(folder, commands, mqtt["port"], settings["station"], more=more)
    services = {
        name: Program(command, broker.environment(folder, name) | broker.reach(folder))
        for name, command in commands.items()
    }
    return {"mosquitto": Program(start, {})} | services


def supervise(folder: Path, programs: dict[str, Program], settings: dict[str, Any]) -> NoReturn:
    """Write the configuration of supervisord, and become what runs it and ends with it."""
    needed = max(limits.BROKER, *limits.descriptors(settings).values())
    user = pwd.getpwuid(os.getuid()).pw_name
    file = folder / "supervisord.conf"
    text = supervisor.configuration(folder, user, programs, limits.raised(needed))
    file.write_text(text, encoding="utf-8")
    os.execv(sys.executable, [sys.executable, "-m", "station.init", str(file)])  # noqa: S606 (no shell is wanted)


def main() -> None:
    """Check, choose, write the configuration, become supervisord."""
    parser = argparse.ArgumentParser(prog="python -m station", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(".run"), help="where it may write")
    folder: Path = parser.parse_args().folder.absolute()
    end_for([*unknown_keys(), *plan.missing_programs()])
    kept = reach.open_new(folder)
    choose_folders(folder)
    choose_drivers()
    settings = settle(plan.SERVICES)
    (Path(settings["runtime_dir"]) / STARTED).write_text(secrets.token_hex(8), encoding="utf-8")
    try:
        everything = programs(folder, settings)
    except (SettingsError, OSError) as error:
        sys.exit(f"station: {error}")
    mqtt = settings["mqtt"]
    if kept:
        say(f"the page stays as it was: {kept}")
    for line in reach.described(settings, CLOSING):
        say(line)
    say("the page comes in a few seconds; Ctrl-C ends the station")
    say(f"the bus:  {mqtt['host']}:{mqtt['port']}; `make watch` shows what is said there")
    supervise(folder, everything, settings)


if __name__ == "__main__":
    main()
