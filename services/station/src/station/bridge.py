"""`python -m station.bridge`: what makes a station's Mosquitto pass its readings on to a hub.

The connection goes out only, and so does every topic: nothing that a hub says reaches the station's
bus (mosquitto.conf(5), "Configuring Bridges").
"""

import argparse
import math
import sys
from pathlib import Path

import bus.settings
from bus.hub import Hub
from bus.rights import BRIDGED, NOTIFICATION
from bus.settings import SettingsError, client_id
from bus.topics import pattern

from .broker import write_secret

CERTIFICATES = "/etc/ssl/certs"
BYTES = 1000
"""Of a queued reading at most, on average: payload and name."""
LIMIT = 201_326_592
"""The memory_limit of mosquitto/mosquitto.conf: what a queue for a hub takes comes on top."""
SPARE = 48 << 20
"""Bytes between the broker's own limit and the one that its unit gives it."""


class Settings(bus.settings.Settings):
    """What the command reads."""

    hub: Hub = Hub()


def messages(hub: Hub) -> int:
    """Readings that an outage leaves waiting."""
    return math.ceil(max(1000, hub.outage * hub.rate))


def memory(hub: Hub) -> int:
    """Bytes of heap that a station's broker needs at most when it has a bridge."""
    return LIMIT + messages(hub) * BYTES


def beside(hub: Hub) -> str:
    """The bridge for a broker that is the station's own: with the memory that its queue takes."""
    return f"{configuration(hub)}memory_limit {memory(hub)}\n"


def configuration(hub: Hub) -> str:
    """The bridge, for the station's mosquitto.conf; OSError or SettingsError without its password.

    User properties survive only with MQTT 5. A queue is bounded for all clients alike, so the
    limits stand here, beside what needs them.
    """
    root, kept = f"stations/{hub.station}/", messages(hub)
    password = one_line(hub.secret())
    client = client_id(f"{hub.station}-bridge", password)
    lines = [
        "# Made by `python -m station.bridge`: readings go to the hub, and nothing comes back.",
        f"max_queued_messages {kept}",
        f"max_queued_bytes {max(8_388_608, kept * BYTES)}",
        f"connection {hub.station}-bridge",
        f"address {hub.host}:{hub.port}",
        "bridge_protocol_version mqttv50",
        f"remote_clientid {client}",
        f"local_clientid local.{client}",
        f"remote_username {hub.station}",
        f"remote_password {password}",
        "cleansession false",
        "restart_timeout 1 30",
        "keepalive_interval 10",
        "bridge_attempt_unsubscribe false",
        "notifications true",
        f"notification_topic {NOTIFICATION.format(station=hub.station)}",
        *encryption(hub),
        *(f'topic {pattern(topic, "", {})} out 1 "" {root}' for topic in BRIDGED),
    ]
    return "\n".join(lines) + "\n"


def one_line(password: str) -> str:
    """A password that cannot be more than one; raises SettingsError for any other."""
    if not password or not password.isprintable():
        raise SettingsError("hub.password_file: the hub's password is missing, or not one line")
    return password


def encryption(hub: Hub) -> list[str]:
    """TLS, with the hub's certificate checked."""
    if not hub.tls:
        return []
    return [f"bridge_cafile {hub.ca_file}" if hub.ca_file else f"bridge_capath {CERTIFICATES}"]


def hub() -> Hub:
    """The hub of this station; raises SettingsError when it has none."""
    found = bus.settings.load(Settings).hub
    if not found.host:
        raise SettingsError("hub.host is not set: this station has no hub")
    return found


def main() -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m station.bridge", description=__doc__)
    parser.add_argument("file", type=Path, help="to write, mode 600: it holds the password")
    options = parser.parse_args()
    try:
        write_secret(options.file, configuration(hub()))
    except (SettingsError, OSError) as error:
        sys.stderr.write(f"bridge: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
