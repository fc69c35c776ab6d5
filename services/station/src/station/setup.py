"""The service `setup` of compose.yaml: secrets, once, and for each reader only its own.

It is the one container that runs as root, with CAP_CHOWN and nothing else, and it ends. What is
there stays: secrets that were made at the first start are only handed out again.

    docker compose run --rm setup show      prints what a person signs in with
"""

import os
import re
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bus.rights import OBSERVER, TELEGRAF, acl, hub_acl
from bus.settings import SettingsError, client_id

from . import bridge, broker

UIDS = {
    "camera": 10001,
    "metadata": 10002,
    "sensors": 10003,
    "stills": 10004,
    "aac": 10005,
    "chat": 10006,
    "web": 10007,
    "webrtc": 10008,
    "relay": 10009,
    "stepper": 10010,
    "history": 10011,
    "tokens": 10012,
    "telegraf": 10013,
    "livekit": 10014,
    # As in the images of others.
    "mosquitto": 1883,
    "influxdb": 1000,
    "grafana": 472,
}
"""Who reads: every service has a user and a group of its own, with this number."""

SERVICES = ("metadata", "sensors", "stills", "aac", "chat", "web", "webrtc", "stepper", "history")
STATE = ("chat", "sensors", "web", "history", "stepper")
"""Who has a folder in the volume `state`."""
INSIDE = 1884
"""The broker's port for the services: on the network of the containers, and published nowhere."""
TOKENS = ("telegraf", "grafana", "history")
"""Whose token InfluxDB makes: `tokens` puts it into their folder, and only they read it."""
VOLUMES = {
    "mosquitto": "mosquitto",
    "influxdb": "influxdb",
    "grafana": "grafana",
    "provisioning": "grafana",
    "livekit": "livekit",
}
"""Volume → the program that it belongs to."""

MAJORS = {"MAJOR_MEDIA": "media", "MAJOR_DMA_HEAP": "dma_heap", "MAJOR_GPIO": "gpiochip"}
"""Variable of compose.yaml → the name in /proc/devices of a number that the kernel gives out."""

HOST_GROUPS = {"i2c": "i2c-1", "gpio": "gpiochip0", "video": "video0", "render": "dri/renderD128"}
"""Group of the host → a device that shows its number, and that is in /dev."""


class Places(NamedTuple):
    """Where setup finds its volumes, and what it looks at."""

    own: Path = Path("/setup")
    """Every secret, for setup alone."""
    given: Path = Path("/secrets")
    """A folder for each reader."""
    state: Path = Path("/state")
    volumes: Path = Path("/volumes")
    dev: Path = Path("/dev")
    proc: Path = Path("/proc")


def main() -> int:
    """The command."""
    places = Places()
    if sys.argv[1:] == ["show"]:
        sys.stdout.write("".join(f"{line}\n" for line in shown(places)))
        return 0
    if sys.argv[1:]:
        sys.stderr.write("setup: nothing, or `show`\n")
        return 2
    try:
        hand_out(places, instances(os.environ), os.environ.get("STATIONS", "").split())
    except SettingsError as error:
        sys.stderr.write(f"setup: {error}\n")
        return 1
    other = {**other_groups(places.dev, os.environ), **other_majors(places.proc, os.environ)}
    if other:
        lines = "".join(f"    {name}={number}\n" for name, number in other.items())
        sys.stdout.write(
            "setup: this machine has other numbers than compose.yaml thinks. Write into .env:\n"
            f"{lines}and then: docker compose up -d\n"
        )
    return 0


def hand_out(places: Places, names: list[str], stations: Sequence[str] = ()) -> None:
    """Everybody's secrets, and a folder for those who keep something; `stations` are a hub's."""
    for reader, files in contents(places, names, stations).items():
        give(places.given / reader, reader, files)
    for reader in STATE:
        folder = places.state / reader
        if not folder.exists():
            folder.mkdir(mode=0o700)
        own(folder, UIDS[reader])
    for volume, reader in VOLUMES.items():
        own(places.volumes / volume, UIDS[reader])


def instances(variables: Mapping[str, str]) -> list[str]:
    """Every instance that needs a user of the broker; CAMERAS and RELAYS name those by name."""
    cameras = [f"camera-{name}" for name in variables.get("CAMERAS", "csi usb").split()]
    relays = [f"relay-{name}" for name in variables.get("RELAYS", "csi usb").split()]
    return sorted((*SERVICES, *cameras, *relays))


def contents(
    places: Places, names: list[str], stations: Sequence[str] = ()
) -> dict[str, dict[str, str]]:
    """Reader → file → what it holds; raises SettingsError for a hub that cannot be."""
    users = (*names, OBSERVER, TELEGRAF, *stations)
    words = {name: broker.password(places.own, name) for name in users}
    given = {name: {"mqtt_password": words[name]} for name in (*names, TELEGRAF)}
    given[TELEGRAF]["mqtt_client"] = client_id(TELEGRAF, words[TELEGRAF])
    publish, livekit = kept(places, "mediamtx"), kept(places, "livekit")
    for name in names:
        if name.startswith("relay-"):
            given[name]["mediamtx_password"] = publish
        if name.startswith("relay-hub-"):
            given[name]["hub_password"] = bridge.hub().secret()
    calls = {"livekit_secret": livekit, "turn_secret": kept(places, "turn")}
    given["web"] |= {"mediamtx_password": publish, **calls}
    given["livekit"] = calls
    given["tokens"] = {
        "operator_token": kept(places, "influxdb_operator"),
        "admin_password": kept(places, "influxdb_admin"),
    }
    given["grafana"] = {"admin_password": kept(places, "grafana_admin")}
    return given | {"mosquitto": mosquitto(places, names, stations, words)}


def mosquitto(
    places: Places, names: list[str], stations: Sequence[str], words: dict[str, str]
) -> dict[str, str]:
    """The broker's files, made as `make run` makes them."""
    at = places.given / "mosquitto"
    users = "".join(f"{user}:{broker.hashed(word)}\n" for user, word in words.items())
    data = "/mosquitto/data/"
    text = broker.configuration(at, 1883, "mosquitto", data, address="", inside=str(INSIDE))
    if stations:
        text += broker.HUB.read_text(encoding="utf-8") + broker.TLS.read_text(encoding="utf-8")
    elif os.environ.get("BEEPER_HUB__HOST"):
        text += bridge.beside(bridge.hub())
    return {
        "mosquitto.conf": text,
        "acl": hub_acl(names, stations) if stations else acl(names),
        "passwords": users,
        "mosquitto_sub": broker.watch_options(places.own, 1883),
    }


def kept(places: Places, name: str) -> str:
    """A secret that no broker's user has, made the first time it is asked for."""
    file = places.own / "secrets" / name
    if not file.exists():
        broker.write_secret(file, secrets.token_urlsafe(32))
    return file.read_text(encoding="utf-8")


def give(folder: Path, reader: str, files: dict[str, str]) -> None:
    """Write a reader's files, mode 600, into a folder that nobody else can enter.

    Root without capabilities may not write where it is not the owner, and so takes the folder back
    for a moment. In the folder of somebody for whom InfluxDB makes a token, `tokens` is the owner.
    """
    uid = UIDS[reader.partition("-")[0]]
    folder.mkdir(mode=0o700, exist_ok=True)
    os.chown(folder, 0, 0)
    # Of a folder with g+s, new files belong to its group: to the reader.
    folder.chmod(0o2750 if reader in TOKENS else 0o750)
    for name, text in files.items():
        fresh = folder / f".{name}"
        broker.write_secret(fresh, text)
        os.chown(fresh, uid, uid)
        fresh.replace(folder / name)
    os.chown(folder, UIDS["tokens"] if reader in TOKENS else 0, uid)


def own(folder: Path, uid: int) -> None:
    """Give a folder to somebody, if it is not theirs yet."""
    if folder.stat().st_uid != uid:
        os.chown(folder, uid, uid)


def shown(places: Places) -> Iterator[str]:
    """What a person needs, in words."""
    yield f"Grafana           user admin   password {kept(places, 'grafana_admin')}"
    yield f"InfluxDB          user admin   password {kept(places, 'influxdb_admin')}"
    yield f"Mosquitto         user {OBSERVER}   password {broker.password(places.own, OBSERVER)}"
    yield f"MediaMTX, publish user relay   password {kept(places, 'mediamtx')}"
    for station in os.environ.get("STATIONS", "").split():
        yield f"Hub               user {station}   password {broker.password(places.own, station)}"


def other_groups(dev: Path, variables: Mapping[str, str]) -> dict[str, int]:
    """Variable → number, for each group that has another number here than the variable says."""
    found = {}
    for group, device in HOST_GROUPS.items():
        name, path = f"GROUP_{group.upper()}", dev / device
        gid = path.stat().st_gid if path.exists() else 0
        if gid and name in variables and gid != int(variables[name]):
            found[name] = gid
    return found


def other_majors(proc: Path, variables: Mapping[str, str]) -> dict[str, int]:
    """The same for the numbers of devices, as /proc/devices has them."""
    text = (proc / "devices").read_text(encoding="ascii").partition("Block devices")[0]
    here = {
        name: int(number) for number, name in re.findall(r"^ *(\d+) (\S+)$", text, re.MULTILINE)
    }
    return {
        variable: here[name]
        for variable, name in MAJORS.items()
        if name in here and variable in variables and here[name] != int(variables[variable])
    }


if __name__ == "__main__":
    raise SystemExit(main())
