"""Who reaches the page, who may watch, and whether there are descriptors for all of them."""

import resource
import socket
import subprocess
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from station import limits, plan, reach

from .verdict import Verdict, fail, ok, warn

PATIENCE = 2.0
"""Seconds for a connection to an address of this machine."""
CLOSE = 'web.host = "127.0.0.1" closes it, access.anonymous says who'


def network(settings: dict[str, Any]) -> Iterator[Verdict]:
    """All of it."""
    yield from descriptors(settings)
    yield audience(settings)
    yield from reachable(settings["web"]["host"], settings["web"]["port"])


def audience(settings: dict[str, Any]) -> Verdict:
    """Who may watch without a password, as far as the page is reached at all."""
    if settings["web"]["host"] in plan.LOOPBACK:
        return ok("the page listens on this machine only: who is elsewhere needs a proxy or tunnel")
    anonymous = settings["access"]["anonymous"]
    who = f"who may watch without signing in: {reach.audience(anonymous)}"
    wide = [name for name in anonymous if name != "link" and not ip_network(name).is_private]
    return warn(f"{who}; {', '.join(wide)} is not a network at home", CLOSE) if wide else ok(who)


def reachable(host: str, port: int) -> Iterator[Verdict]:
    """Whether the page answers at the addresses that others would type; only where it runs."""
    if host in plan.LOOPBACK or not plan.taken(host, port):
        return
    for address in reach.addresses(host):
        try:
            socket.create_connection((address.strip("[]"), port), PATIENCE).close()
        except OSError as error:
            yield fail(
                f"http://{address}:{port} does not answer: {error}",
                "a firewall: sudo nft list ruleset",
            )
        else:
            yield ok(f"http://{address}:{port} answers, as far as this machine can tell")


def descriptors(settings: dict[str, Any]) -> Iterator[Verdict]:
    """Whether each service that people connect to may open as many files as they need."""
    for service, needed in limits.descriptors(settings).items():
        given = unit_limit(f"beeper-{service}") or resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if given != resource.RLIM_INFINITY and given < needed:
            yield warn(
                f"{service} may open {given} files and needs {needed}",
                "sudo make install gives the unit more; else a smaller web.max_viewers or "
                "webrtc.max_sessions, or ulimit -Hn",
            )
        else:
            yield ok(f"{service} may open the {needed} files that it needs at most")


def unit_limit(unit: str) -> int | None:
    """The limit that systemd gives an installed unit; None where there is none."""
    if not Path("/run/systemd/system").is_dir():
        return None
    ran = subprocess.run(
        ["systemctl", "show", "--property=LoadState,LimitNOFILE", unit],
        capture_output=True,
        text=True,
        check=False,
    )
    found = dict(line.partition("=")[::2] for line in ran.stdout.splitlines())
    if found.get("LoadState") != "loaded" or not found.get("LimitNOFILE", "").isdecimal():
        return None
    return int(found["LimitNOFILE"])
