"""Who reaches a new station: the phone beside it, and nobody from elsewhere.

A station that somebody has set up, or that an earlier version ran here, stays as it is; so does one
that a proxy or a tunnel reaches, or whose proxy says who somebody is.
"""

import os
import socket
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from bus.networks import LINK_LOCAL, LOOPBACK, links, on_link

from . import plan

HOST, ANONYMOUS = "BEEPER_WEB__HOST", "BEEPER_ACCESS__ANONYMOUS"
DIAGNOSTICS = "BEEPER_ACCESS__DIAGNOSTICS"
IN_FRONT = {
    "BEEPER_ACCESS__PROXIES": "access.proxies",
    "BEEPER_ACCESS__TUNNELS": "access.tunnels",
    "BEEPER_ACCESS__USER_HEADER": "access.user_header",
    "BEEPER_ACCESS__TEAM_DOMAIN": "access.team_domain",
    "BEEPER_ACCESS__HOSTS": "access.hosts",
}
"""Settings that say that somebody stands in front of the station: nothing is opened beside that."""
LINK = '["link"]'
MARK = "opened"
"""A file of a folder of `make run` whose first start was a new station's."""
AVAHI = Path("/run/avahi-daemon/pid")
"""There while avahi-daemon(8) answers for `<name>.local`."""


def open_new(folder: Path) -> str:
    """Let a new station of `make run` listen on the network; why not, where it does not.

    Sets variables that the user has not: what a person has chosen always wins.
    """
    if plan.chosen(HOST):
        return ""
    if front := in_front():
        return f"{front} is set, so whoever stands in front opens the station"
    if not is_new(folder):
        return "it ran here before this version opened new stations"
    os.environ[HOST] = everywhere()
    for variable in (ANONYMOUS, DIAGNOSTICS):
        if not plan.chosen(variable):
            os.environ[variable] = LINK
    return ""


def in_front() -> str:
    """The setting that names a proxy, a tunnel or a header of theirs; empty when none does."""
    return next((name for variable, name in IN_FRONT.items() if plan.chosen(variable)), "")


def is_new(folder: Path) -> bool:
    """Whether this folder's first start was, or is, one of this version."""
    mark = folder / MARK
    if mark.exists():
        return True
    if (folder / "supervisord.conf").exists():
        return False
    folder.mkdir(parents=True, exist_ok=True)
    mark.touch()
    return True


def everywhere() -> str:
    """The address that listens on all interfaces: of both kinds, where the kernel has IPv6."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::", 0))
    except OSError:
        return "0.0.0.0"  # noqa: S104 (who may watch is decided by address)
    return "::"


def opened(example: str) -> str:
    """The example of the settings with the few that open a new installation."""
    changed = {
        '#host = "127.0.0.1"\n# TCP port; 0': f'host = "{everywhere()}"\n# TCP port; 0',
        "#anonymous = [": f"anonymous = {LINK}\n#anonymous = [",
        "#diagnostics = [": f"diagnostics = {LINK}\n#diagnostics = [",
    }
    for old, new in changed.items():
        if old not in example:
            raise ValueError(f"beeper.example.toml has no line {old!r}: make example")
        example = example.replace(old, new)
    return example


def described(settings: dict[str, Any], closing: str) -> Iterator[str]:
    """The addresses that work, who may watch now, and the line that closes it."""
    host, port = settings["web"]["host"], settings["web"]["port"]
    yield f"the page: http://localhost:{port}"
    if host in plan.LOOPBACK:
        yield f"          on this machine only; {closing.format(host=everywhere())} opens it"
        return
    shown = [*addresses(host), *([f"{socket.gethostname()}.local"] if AVAHI.exists() else [])]
    for name in shown:
        yield f"          http://{name}:{port}"
    yield f"who may watch without signing in: {audience(settings['access']['anonymous'])}"
    yield f"          to close it: {closing.format(host='127.0.0.1')}"


def addresses(host: str) -> list[str]:
    """Where somebody beside this machine finds it, as a URL has it; IPv4 first."""
    if host not in ("0.0.0.0", "::"):  # noqa: S104 (it is compared only)
        return [in_url(host)]
    found = [address for link in links() for address in link.addresses]
    wanted = [a for a in found if host == "::" or ip_address(a).version == 4]
    return [in_url(address) for address in sorted(wanted, key=lambda a: ip_address(a).version)]


def in_url(address: str) -> str:
    """An IPv6 address stands in brackets (RFC 3986 §3.2.2)."""
    return f"[{address}]" if ":" in address else address


def audience(anonymous: list[str]) -> str:
    """Who may watch, in words: `link` stands for the networks of this moment."""
    named = [name for name in anonymous if name != "link"]
    if "link" in anonymous:
        named += [str(n) for n in on_link() if n != LINK_LOCAL]
    near = [name for name in dict.fromkeys(named) if name not in map(str, LOOPBACK)]
    if near:
        return f"everybody in {' and '.join(near)}"
    return "nobody but this machine" if named else "nobody"
