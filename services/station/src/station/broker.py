"""The broker of this machine: its configuration, its users and their passwords."""

import hashlib
import os
import pwd
import secrets
import shutil
from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path

from bus.rights import OBSERVER, TELEGRAF, acl, hub_acl

SOURCE = Path("mosquitto/mosquitto.conf")
HUB = Path("mosquitto/hub.conf")
TLS = Path("mosquitto/tls.conf")

ITERATIONS = 101
"""As mosquitto_passwd(1) of Mosquitto 2.0."""

SERVICES = 200
"""Connections of services: a station has about ten with two each, a hub a few more."""
OTHERS = 100
"""Connections of everybody else on this machine: Telegraf has thirteen, `make watch` one. Silent
ones of strangers fill only these, and are closed after 90 s."""
SOCKET = "mosquitto/socket"
"""Below the folder of the station: only its user can reach it."""
LONGEST = 107
"""Bytes of a Unix socket's path, unix(7)."""


def prepare(
    folder: Path,
    instances: Iterable[str],
    port: int,
    station: str = "",
    *,
    stations: Iterable[str] = (),
    more: str = "",
) -> list[str]:
    """Write everything the broker reads, and the password of each user; the broker's command.

    `stations` are those of a hub, a user each; `more` is the end of the configuration.
    What an earlier station had retained is forgotten: only a broker that died alone finds it again.
    """
    names, remote = sorted(instances), sorted(stations)
    users = (*names, OBSERVER, TELEGRAF, *remote)
    place = folder / "mosquitto"
    shutil.rmtree(place / "data", ignore_errors=True)
    (place / "data").mkdir(parents=True)
    write_secret(place / "acl", hub_acl(names, remote) if remote else acl(names, station))
    write_passwords(place / "passwords", {name: password(folder, name) for name in users})
    write_secret(place / "watch" / "mosquitto_sub", watch_options(folder, port))
    if remote:
        more = HUB.read_text(encoding="utf-8") + more
    user = pwd.getpwuid(os.getuid()).pw_name
    inside = socket_of(folder)
    text = configuration(
        place, port, user, f"{place}/data/", inside=f"0 {inside}" if inside else ""
    )
    write_secret(place / "mosquitto.conf", text + more)
    return ["mosquitto", "-c", str(place / "mosquitto.conf")]


def environment(folder: Path, instance: str) -> dict[str, str]:
    """How an instance logs in."""
    file = password_file(folder, instance)
    return {"BEEPER_MQTT__USERNAME": instance, "BEEPER_MQTT__PASSWORD_FILE": str(file)}


def reach(folder: Path) -> dict[str, str]:
    """How a service that is started beside the broker reaches it."""
    inside = socket_of(folder)
    return {"BEEPER_MQTT__SOCKET": str(inside)} if inside else {}


def socket_of(folder: Path) -> Path | None:
    """The services' socket; None below a folder whose name is too long for one."""
    path = folder / SOCKET
    return path if len(os.fsencode(path)) <= LONGEST else None


def password_file(folder: Path, instance: str) -> Path:
    """Where the password of an instance stands; mode 600."""
    return folder / "secrets" / instance / "mqtt_password"


def password(folder: Path, instance: str) -> str:
    """The password of an instance, made the first time it is asked for.

    Its file has no line's end: Telegraf takes whatever it holds.
    """
    file = password_file(folder, instance)
    if not file.exists():
        write_secret(file, secrets.token_urlsafe(24))
    return file.read_text(encoding="utf-8").strip()


def write_passwords(file: Path, passwords: dict[str, str]) -> None:
    """The broker's list of users, as mosquitto_passwd(1) writes it."""
    write_secret(file, "".join(f"{user}:{hashed(word)}\n" for user, word in passwords.items()))


def hashed(password: str) -> str:
    """PBKDF2 with SHA-512: `$7$iterations$salt$hash`. 24 random bytes need no more iterations."""
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return f"$7${ITERATIONS}${b64encode(salt).decode()}${b64encode(digest).decode()}"


def watch_options(folder: Path, port: int) -> str:
    """What mosquitto_sub(1) reads from `$XDG_CONFIG_HOME/mosquitto_sub`, so that no command line
    shows the password."""
    return f"-h 127.0.0.1\n-p {port}\n-u {OBSERVER}\n-P {password(folder, OBSERVER)}\n"


def configuration(
    place: Path,
    port: int,
    user: str,
    data: str,
    address: str = "127.0.0.1",
    *,
    inside: str = "",
) -> str:
    """The shipped configuration with its listeners; what is kept goes to `data`.

    `inside` is the services' own listener, as mosquitto.conf(5) has it: `0 <socket>`, or a port. It
    keeps a place for them however many others connect. Mosquitto must be the user that owns its
    secrets, also when that is root. A limit of connections follows its listener: before the first
    one it would open another on port 1883.
    """
    lines = [f"user {user}"]
    if inside:
        lines += [f"listener {inside}", f"max_connections {SERVICES}"]
    others = OTHERS if inside else SERVICES + OTHERS
    lines += [f"listener {port} {address}".rstrip(), f"max_connections {others}"]
    if not inside.startswith("0 "):
        # Every fragment is one small packet; without this the next one waits for the last one's
        # ACK. For a Unix socket it is a warning at each connection.
        lines.append("set_tcp_nodelay true")
    lines += [f"acl_file {place}/acl"]
    lines += [f"password_file {place}/passwords", f"persistence_location {data}"]
    return SOURCE.read_text(encoding="utf-8") + "\n" + "\n".join(lines) + "\n"


def write_secret(file: Path, text: str) -> None:
    """Write a file that only this user can read, its folder too."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(text)
