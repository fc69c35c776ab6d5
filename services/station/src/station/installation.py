"""`python -m station.installation`: what `make install` writes for systemd's services.

From the settings in /etc/beeper-keeper/beeper.toml it makes a broker user for each service, the
broker's configuration, and enables the units of just those cameras and relays that exist. It may be
run again at any time: what is there stays, secrets above all.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from bus.hub import Hub
from bus.rights import OBSERVER, TELEGRAF, acl
from bus.settings import CONFIG, PREFIX

from . import bridge, broker, limits, plan, reach

TARGET = "beeper.target"
ALWAYS = ("beeper-start.service", "beeper-mediamtx.service")
"""Units beside the services; MediaMTX's starts nothing where it is not installed."""
BROKER = "beeper-mosquitto.service"
BROKER_USER = "mosquitto"
BROKER_MEMORY = 256 << 20
"""MemoryMax of beeper-mosquitto.service, in bytes."""
GROUP = "beeper"
CONFIGURATION = "etc/beeper-keeper"
BROKER_STATE = "/var/lib/beeper-keeper/mosquitto/"
SOCKET = "/run/beeper-broker/socket"
"""Where the services reach the broker; beeper-mosquitto.service makes its folder for them."""
CLOSING = f'host = "{{host}}" below [web] in /{CONFIGURATION}/beeper.toml, then sudo make install,'
DROP_IN = "station.conf"
"""The drop-in of a unit with what follows from the settings, systemd.unit(5)."""


class Place(NamedTuple):
    """Where it is installed: on this machine, or below a folder for somebody to pack."""

    root: Path

    @property
    def live(self) -> bool:
        """Whether there are users and a systemd here."""
        return self.root == Path("/")

    @property
    def folder(self) -> Path:
        """/etc/beeper-keeper."""
        return self.root / CONFIGURATION

    def give(self, file: Path, mode: int, user: str = "root", group: str = "root") -> None:
        """Set mode and owner; packed, everything stays the packer's."""
        file.chmod(mode)
        if self.live:
            shutil.chown(file, user, group)


def main() -> None:
    """The command; exit code 1 with the settings' own words when one is wrong."""
    parser = argparse.ArgumentParser(prog="python -m station.installation", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("/"), help="install below this folder")
    place = Place(parser.parse_args().root.absolute())
    write_example(place)
    try:
        settings = read_settings(place)
        hub = bridge.hub() if settings["hub"]["host"] else None
        more = bridge.beside(hub) if hub else ""
    except (ValueError, OSError) as error:
        sys.exit(str(error))
    names = instances(settings)
    write_broker(place, names, settings, more)
    here = settings["mqtt"]["host"] in plan.LOOPBACK
    if here and place.live and (wrong := occupied(settings["mqtt"]["port"])):
        sys.exit(f"install: {wrong}")
    write_drop_ins(place, settings, here, hub)
    enable(place, {*map(unit_of, names), *ALWAYS, *([BROKER] if here else [])})
    if place.live:
        for line in reach.described(settings, CLOSING):
            say(line)
    if not here:
        say(
            f"the broker is on {settings['mqtt']['host']}: give it "
            f"/{CONFIGURATION}/mosquitto/acl and passwords"
        )


def say(line: str) -> None:
    """One line to whoever installs."""
    sys.stderr.write(f"install: {line}\n")


def write_example(place: Place) -> None:
    """Every setting with its default, for the first time; what opens the page beside them."""
    file = place.folder / "beeper.toml"
    place.folder.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        example = Path("beeper.example.toml").read_text(encoding="utf-8")
        file.write_text(reach.opened(example), encoding="utf-8")
        say(f"the settings: {file}")
    place.give(file, 0o640, group=GROUP)


def read_settings(place: Place) -> dict[str, Any]:
    """What is in force for the services, whatever is in our own environment; raises ValueError."""
    for variable in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[variable]
    os.environ[CONFIG] = str(place.folder / "beeper.toml")
    return plan.all_settings()


def instances(settings: dict[str, Any]) -> list[str]:
    """Who is to run."""
    names = sorted(plan.commands(settings))
    return [name for name in names if name != "stepper" or settings["stepper"]["enabled"]]


def unit_of(instance: str) -> str:
    """`camera-csi` is beeper-camera@csi.service, `web` is beeper-web.service."""
    service, dash, name = instance.partition("-")
    return f"beeper-{service}@{name}.service" if dash else f"beeper-{service}.service"


def write_broker(place: Place, names: list[str], settings: dict[str, Any], more: str) -> None:
    """Users, their rights and passwords; the last also for each service, where only root reads.

    `more` goes behind the broker's configuration: the bridge to a hub, with its password.
    """
    folder, station, port = place.folder, settings["station"], settings["mqtt"]["port"]
    passwords = {name: broker.password(folder, name) for name in (*names, OBSERVER, TELEGRAF)}
    for user in ("", *passwords):
        place.give(folder / "secrets" / user, 0o700)
    own = folder / "mosquitto"
    broker.write_secret(own / "acl", acl(names, station))
    broker.write_passwords(own / "passwords", passwords)
    watch = own / "watch" / "mosquitto_sub"
    broker.write_secret(watch, broker.watch_options(folder, port))
    where = Path("/") / CONFIGURATION / "mosquitto"
    text = broker.configuration(where, port, BROKER_USER, BROKER_STATE, inside=f"0 {SOCKET}")
    broker.write_secret(own / "mosquitto.conf", text + more)
    place.give(own, 0o755)
    for name in ("mosquitto.conf", "acl", "passwords"):
        place.give(own / name, 0o600, BROKER_USER, BROKER_USER)


def write_drop_ins(
    place: Place, settings: dict[str, Any], here: bool, hub: Hub | None = None
) -> None:
    """What the settings say about units: how to reach the broker, limits above the units' own."""
    needed = limits.descriptors(settings)
    heap = bridge.memory(hub) + bridge.SPARE if hub else 0
    lines = {
        "beeper-.service": f"Environment=BEEPER_MQTT__SOCKET={SOCKET}" if here else "",
        "beeper-mosquitto.service": f"MemoryMax={heap}" if heap > BROKER_MEMORY else "",
        **{
            f"beeper-{name}.service": f"LimitNOFILE={count}" if count > limits.UNITS else ""
            for name, count in needed.items()
        },
    }
    for unit, line in lines.items():
        file = place.root / "etc/systemd/system" / f"{unit}.d" / DROP_IN
        file.unlink(missing_ok=True)
        if line:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"# Made by make install from the settings.\n[Service]\n{line}\n")


def occupied(port: int) -> str | None:
    """Who else holds the broker's port, in words with the way out."""
    ours = subprocess.run(["systemctl", "--quiet", "is-active", BROKER], check=False)
    if ours.returncode == 0 or not plan.taken("127.0.0.1", port):
        return None
    return (
        f"port {port} is taken, perhaps by Debian's own broker: sudo systemctl disable --now "
        f"mosquitto, or another mqtt.port in /{CONFIGURATION}/beeper.toml; then sudo make install"
    )


def enable(place: Place, wanted: set[str]) -> None:
    """Enable these units of the target, and disable what is no longer configured."""
    wants = place.root / "etc/systemd/system" / f"{TARGET}.wants"
    before = {link.name for link in wants.iterdir()} if wants.is_dir() else set()
    gone = {unit for unit in before - wanted if unit.startswith("beeper-")}
    if gone:
        systemctl(place, "disable", *(["--now"] if place.live else []), *sorted(gone))
    systemctl(place, "enable", TARGET, *sorted(wanted))


def systemctl(place: Place, *words: str) -> None:
    """systemctl(1), on files only where it is not this machine that is set up."""
    root = [] if place.live else [f"--root={place.root}"]
    subprocess.run(["systemctl", "--quiet", *root, *words], check=True)


if __name__ == "__main__":
    main()
