"""The networks that this machine is in at the moment: who is beside it, and who is far away.

An interface counts when its other members are people at home: it is up, leads to more than one
other machine (no tunnel, no VPN), is no bridge of containers or virtual machines alone, and has no
public IPv4 address, nor one of RFC 6598 (what shares a provider's network is nobody's home). Of
IPv6 count the prefixes that the router has announced as on link (RFC 4861 §6.3.4).
"""

import socket
import time
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network
from pathlib import Path
from typing import Any, NamedTuple

import psutil

Network = IPv4Network | IPv6Network

LOOPBACK: tuple[Network, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
LINK_LOCAL = IPv6Network("fe80::/10")
"""Whoever asks from there is on one of our links, whichever it is (RFC 4291 §2.5.6)."""
NARROWEST_HOME = 64
"""No prefix of a link is wider (RFC 4291 §2.5.4); a wider route is a provider's whole customer."""
SYS = Path("/sys/class/net")
ROUTES = Path("/proc/net/ipv6_route")
UP, GATEWAY, REJECT, LOCAL = 0x1, 0x2, 0x200, 0x80000000
"""Flags of a route, linux/route.h and linux/ipv6_route.h."""
REMEMBERED = 2.0
"""Seconds for which an answer is good: Wi-Fi that comes up later counts soon."""


class Link(NamedTuple):
    """An interface that leads to people at home."""

    name: str
    addresses: tuple[str, ...]
    """Of this machine, without link-local ones: what somebody beside it can type."""
    networks: tuple[Network, ...]


_known: tuple[float, tuple[Network, ...]] = (float("-inf"), ())


def on_link() -> tuple[Network, ...]:
    """This machine itself, and every network of its links, as of two seconds ago at most."""
    global _known
    if time.monotonic() - _known[0] > REMEMBERED:
        found = [network for link in links() for network in link.networks]
        _known = (time.monotonic(), (*LOOPBACK, LINK_LOCAL, *dict.fromkeys(found)))
    return _known[1]


def links() -> list[Link]:
    """Every interface that counts, in the kernel's order."""
    routes = prefixes(ROUTES.read_text(encoding="ascii") if ROUTES.exists() else "")
    stats = psutil.net_if_stats()
    found = []
    for name, addresses in psutil.net_if_addrs().items():
        flags = stats[name].flags.split(",") if name in stats else []
        if "up" not in flags or {"loopback", "pointopoint"} & set(flags) or virtual(SYS / name):
            continue
        if link := link_of(name, addresses, routes.get(name, ())):
            found.append(link)
    return found


def link_of(name: str, addresses: list[Any], routes: tuple[IPv6Network, ...]) -> Link | None:
    """What an interface's addresses say, as psutil has them; None when one of them is public."""
    four = [
        IPv4Interface(f"{one.address}/{one.netmask or '255.255.255.255'}")
        for one in addresses
        if one.family == socket.AF_INET
    ]
    if not all(one.ip.is_private for one in four):
        return None
    six = [
        IPv6Interface(f"{one.address.partition('%')[0]}/{bits(one.netmask)}")
        for one in addresses
        if one.family == socket.AF_INET6
    ]
    six = [one for one in six if not one.ip.is_link_local]
    narrow = [one.network for one in six if one.network.prefixlen >= NARROWEST_HOME]
    networks: list[Network] = [*(one.network for one in four), *routes, *narrow]
    shown = (*(str(one.ip) for one in four), *(str(one.ip) for one in six))
    return Link(name, shown, tuple(dict.fromkeys(networks))) if networks else None


def virtual(place: Path) -> bool:
    """Whether an interface is a bridge to nothing but containers and virtual machines."""
    if not (place / "bridge").exists():
        return False
    return not any((SYS / port.name / "device").exists() for port in (place / "brif").glob("*"))


def prefixes(routes: str) -> dict[str, tuple[IPv6Network, ...]]:
    """Interface → prefixes on link, from the text of /proc/net/ipv6_route (proc(5))."""
    found: dict[str, tuple[IPv6Network, ...]] = {}
    for line in routes.splitlines():
        target, length, _, _, hop, _, _, _, flags, name = line.split()
        network = IPv6Network((int(target, 16), int(length, 16)))
        here = int(flags, 16) & (UP | GATEWAY | REJECT | LOCAL) == UP and int(hop, 16) == 0
        outside = network.is_link_local or network.is_multicast
        if here and not outside and network.prefixlen >= NARROWEST_HOME:
            found[name] = (*found.get(name, ()), network)
    return found


def bits(netmask: str | None) -> int:
    """The length of an IPv6 prefix from its mask, as psutil has it."""
    return (
        int.from_bytes(socket.inet_pton(socket.AF_INET6, netmask)).bit_count() if netmask else 128
    )
