"""Where this machine can be reached: its own UDP sockets, and the addresses in front of it."""

import asyncio
import random
import socket
import time

from aioice.ice import get_host_addresses

from .settings import Webrtc

KEPT = 60.0
"""Seconds for which the address of a public name is believed."""


class NoPort(OSError):
    """Every UDP port of the range is taken."""


class Network:
    """Makes sockets within the range of ports and knows the public addresses."""

    def __init__(self, settings: Webrtc) -> None:
        self._settings = settings
        self._names: dict[str, tuple[float, list[str]]] = {}

    @property
    def stun(self) -> tuple[str, int] | None:
        """The first STUN server: one side with TURN is enough, and viewers have it."""
        for url in self._settings.ice_servers:
            if url.startswith("stun:"):
                host, _, port = url.removeprefix("stun:").rpartition(":")
                return (host, int(port)) if host and port.isdecimal() else (port, 3478)
        return None

    def sockets(self) -> list[socket.socket]:
        """One for each address; NoPort when there is none to be had on any of them."""
        made = []
        for address in self._settings.addresses or local_addresses():
            try:
                made.append(self._bind(address))
            except OSError:
                continue
        if not made:
            first, last = self._settings.port_min, self._settings.port_max
            raise NoPort(f"no UDP port is free in {first} to {last}" if last else "no network")
        return made

    async def public_addresses(self) -> list[str]:
        """What the public hosts mean at the moment; a name that cannot be resolved is left out."""
        found: list[str] = []
        for host in self._settings.public_hosts:
            found += [address for address in await self._resolve(host) if address not in found]
        return found

    async def _resolve(self, host: str) -> list[str]:
        until, known = self._names.get(host, (0.0, []))
        if time.monotonic() < until:
            return known
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._settings.gather):
                answers = await loop.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
        except (OSError, TimeoutError):
            return known
        addresses = [str(answer[4][0]) for answer in answers]
        self._names[host] = time.monotonic() + KEPT, addresses
        return addresses

    def _bind(self, address: str) -> socket.socket:
        first, last = self._settings.port_min, self._settings.port_max
        count = last - first + 1
        # Anywhere in the range: the next one would still be known to the last viewer's router.
        start = random.randrange(count)  # noqa: S311 (not a secret)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        for number in range(count):
            made = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            try:
                made.bind((address, first + (start + number) % count))
            except OSError:
                made.close()
                continue
            return made
        raise NoPort(address)


def local_addresses() -> list[str]:
    """Every address of this machine; only loopback when it has no other."""
    return get_host_addresses(use_ipv4=True, use_ipv6=True) or ["127.0.0.1"]
