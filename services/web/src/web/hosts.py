"""By which name the station is asked: against pages that let their own name point to it.

A page of the internet may have its name resolve to an address at home (DNS rebinding). To a browser
station and page are then one origin; only the name in `Host` tells that it does not mean us.
"""

import re
from collections.abc import Collection
from ipaddress import ip_address

from starlette.datastructures import Headers

NAMED = ("host", "x-forwarded-host")
"""The second one a trusted proxy sends that asks by another name; a script can invent it."""
PORT = re.compile(r":\d*$")
AT_HOME = (".localhost", ".local", ".lan", ".internal", ".home.arpa")
"""Names that no registry gives to anybody (RFC 6761 §6.3, RFC 6762, RFC 8375, ICANN on .internal;
.lan is what routers use)."""


def foreign_name(headers: Headers, hosts: Collection[str]) -> str:
    """A name in a request that may be somebody else's; empty when there is none."""
    for header in NAMED:
        for value in headers.getlist(header):
            if value and not is_ours(value, hosts):
                return value[:200]
    return ""


def is_ours(host: str, hosts: Collection[str]) -> bool:
    """Whether a host, with its port, is an address, a name at home, or one that is configured."""
    name = PORT.sub("", host).lower().removesuffix(".")
    if name in hosts or "." not in name.strip("[]") or name.endswith(AT_HOME):
        return True
    return is_address(name)


def is_address(name: str) -> bool:
    """Whether a host is an IP address as URLs have it."""
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
