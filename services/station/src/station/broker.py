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

CONNECTIONS = 500
"""A station has about ten services with two connections each; a flood must not take their place."""


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
    text = configuration(place, port, user, f"{place}/data/")
    write_secret(place / "mosquitto.conf", text + more)
    return ["mosquitto", "-c", str(place / "mosquitto.conf")]


def environment(folder: Path, instance: str) -> dict[str, str]:
    """How an instance logs in."""
    file = password_file(folder, instance)
    return {"BEEPER_MQTT__USERNAME": instance, "BEEPER_MQTT__PASSWORD_FILE": str(file)}


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


def configuration(place: Path, port: int, user: str, data: str, address: str = "127.0.0.1") -> str:
    """The shipped configuration with a listener on loopback; what is kept goes to `data`.

    Mosquitto must be the user that owns its secrets, also when that is root. The limit of
    connections follows its listener: before the first one it would open another on port 1883.
    """
    lines = [f"user {user}", f"listener {port} {address}", f"max_connections {CONNECTIONS}"]
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
