"""Where a request comes from, seen through the proxies that are trusted and through no others."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple

from bus.networks import on_link
from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from .hosts import foreign_name
from .settings import LOOPBACK, Access, Near

Address = IPv4Address | IPv6Address

X_FORWARDED = ("x-forwarded-", "x-real-ip", "forwarded")
CLOUDFLARE = "cf-"
SCOPE = "beeper.client"
"""Where the answer stands in an ASGI scope."""


class Client(NamedTuple):
    """Who asks."""

    address: Address
    known: bool
    """False when a proxy asks without saying for whom."""
    foreign: str = ""
    """The name by which it asks, when that may be somebody else's."""


def within(address: Address, networks: Near) -> bool:
    """Whether an address belongs to one of the networks."""
    named = [network for network in networks if network != "link"]
    if any(address in network for network in named):
        return True
    return len(named) < len(networks) and any(address in network for network in on_link())


def read_address(text: str) -> Address:
    """An IP address, IPv4 inside IPv6 unwrapped; raises ValueError."""
    address = ip_address(text.strip().strip("[]"))
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def resolve(peer: str, headers: Headers, access: Access) -> Client:
    """The client behind the trusted proxies.

    Raises HTTPException: 403 when somebody else sends a header that only they may send, 400 when
    what they send is no address.
    """
    address = read_address(peer)
    forwarded = [name for name in headers if name.startswith((*X_FORWARDED, CLOUDFLARE))]
    check_senders(address, headers, access)
    try:
        named = named_client(headers, access)
    except ValueError as error:
        raise HTTPException(400, f"the forwarded client address does not count: {error}") from None
    foreign = foreign_name(headers, access.hosts)
    if named:
        return Client(named, True, foreign)
    proxy = within(address, (*access.proxies, *access.tunnels))
    hidden = proxy and (bool(forwarded) or not within(address, LOOPBACK))
    return Client(address, not hidden, foreign)


def why_unknown(client: Client) -> str:
    """Why a client does not count as one at its address; empty when it does."""
    if not client.known:
        return "the proxy does not say for whom it asks: let it send X-Forwarded-For"
    if client.foreign:
        return (
            f"{client.foreign!r} may be somebody else's name for this station; when it is yours, "
            "add it to access.hosts of beeper.toml, or ask by address"
        )
    return ""


def check_senders(address: Address, headers: Headers, access: Access) -> None:
    """Raises HTTPException 403 when a header comes from somebody who may not send it.

    A tunnel hands on what its clients send, so it cannot say who has signed in.
    """
    tunnel = within(address, access.tunnels)
    proxy = within(address, access.proxies)
    for name in headers:
        if name.startswith(CLOUDFLARE) and not tunnel:
            raise distrusted(name, address, "access.tunnels")
        if name.startswith(X_FORWARDED) and not (proxy or tunnel):
            raise distrusted(name, address, "access.proxies")
        if name == access.user_header.lower() and (tunnel or not proxy):
            raise distrusted(name, address, "access.proxies")


def named_client(headers: Headers, access: Access) -> Address | None:
    """The client that the trusted headers name; raises ValueError when they make no sense."""
    lines = headers.getlist("x-forwarded-for") or headers.getlist("x-real-ip")
    hops = ",".join(lines).split(",") if lines else []
    if len(hops) > access.max_hops:
        raise ValueError(f"X-Forwarded-For has {len(hops)} addresses (access.max_hops)")
    named = nearest_stranger(hops, access) if hops else None
    if "cf-connecting-ip" not in headers:
        return named
    tunnelled = read_address(headers["cf-connecting-ip"])
    if named not in (tunnelled, None):
        raise ValueError("CF-Connecting-IP and X-Forwarded-For name different clients")
    return tunnelled


def nearest_stranger(hops: Sequence[str], access: Access) -> Address:
    """The last that is no trusted proxy, else the first; raises ValueError.

    What stands before it may be invented by it.
    """
    trusted = (*access.proxies, *access.tunnels)
    for hop in reversed(hops):
        if not within(address := read_address(hop), trusted):
            break
    return address


def distrusted(header: str, address: Address, setting: str) -> HTTPException:
    """What to say to a proxy that nobody has introduced, or to a liar."""
    return HTTPException(
        403,
        f"the header {header} is not believed from {address}; when a proxy stands there, "
        f"name its address in {setting} of beeper.toml",
    )


def client_of(connection: HTTPConnection) -> Client:
    """Where a request comes from, once the edge has found out."""
    client: Client = connection.scope[SCOPE]
    return client


def person_of(address: Address) -> str:
    """What stands for one person as far as an address can: of IPv6 the network, RFC 4291 §2.5.4."""
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), 64), strict=False))
    return str(address)


async def insider(connection: HTTPConnection) -> None:
    """Let nobody in from outside the networks in access.diagnostics: 403."""
    access: Access = connection.app.state.access
    client = client_of(connection)
    if why := why_unknown(client):
        raise HTTPException(403, why)
    if not within(client.address, access.diagnostics):
        raise HTTPException(
            403, f"not for {client.address}; name its network in access.diagnostics of beeper.toml"
        )
