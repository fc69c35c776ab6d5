"""Runs the whole station on this machine until Ctrl-C: `make run`."""

import argparse
import os
import pwd
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from . import hardware, plan, supervisor

SOURCE = Path("mosquitto/mosquitto.conf")


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
            f"port {web['port']} (the page) is taken; choose another: "
            "BEEPER_WEB__PORT=8081 make run"
        )
    if mqtt["host"] in plan.LOOPBACK and plan.taken("127.0.0.1", mqtt["port"]):
        wrong.append(
            f"port {mqtt['port']} (MQTT) is taken, perhaps by a Mosquitto of this machine; "
            "choose another: BEEPER_MQTT__PORT=1884 make run"
        )
    return wrong


def programs(folder: Path, settings: dict[str, Any]) -> dict[str, list[str]]:
    """Instance → command, the broker first when it is ours to start."""
    cameras = [name for name, camera in settings["camera"].items() if camera["enabled"]]
    mqtt = settings["mqtt"]
    broker = (
        {"mosquitto": plan.mosquitto(folder, SOURCE, mqtt["port"])}
        if mqtt["host"] in plan.LOOPBACK
        else {}
    )
    return broker | plan.commands(cameras)


def keep_log_in_order() -> None:
    """Put a pipe before a log file: every program's output opens it anew, at its beginning."""
    if stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode):
        cat = subprocess.Popen(["cat"], stdin=subprocess.PIPE, start_new_session=True)
        if cat.stdin:
            os.dup2(cat.stdin.fileno(), sys.stdout.fileno())


def main() -> None:
    """Check, choose, write the configuration, become supervisord."""
    parser = argparse.ArgumentParser(prog="python -m station", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(".run"), help="where it may write")
    folder: Path = parser.parse_args().folder.absolute()
    if missing := plan.missing_programs():
        sys.exit("\n".join(f"station: {line}" for line in missing))
    choose_folders(folder)
    choose_drivers()
    settings: dict[str, Any] = {}
    try:
        with ThreadPoolExecutor() as pool:
            for shown in pool.map(plan.settings_of, plan.SERVICES):
                settings |= shown
    except ValueError as error:
        sys.exit(str(error))
    if wrong := check(settings):
        sys.exit("\n".join(f"station: {line}" for line in wrong))
    user = pwd.getpwuid(os.getuid()).pw_name
    configuration = folder / "supervisord.conf"
    text = supervisor.configuration(folder, user, programs(folder, settings))
    configuration.write_text(text, encoding="utf-8")
    web, mqtt = settings["web"], settings["mqtt"]
    say(f"the page: http://localhost:{web['port']} (in a few seconds; Ctrl-C ends the station)")
    say(f"the bus:  mosquitto_sub -h {mqtt['host']} -p {mqtt['port']} -v -t 'beeper/#'")
    keep_log_in_order()
    program = str(Path(sys.executable).with_name("supervisord"))
    os.execv(program, [program, "-c", str(configuration)])  # noqa: S606 (no shell is wanted)


if __name__ == "__main__":
    main()
