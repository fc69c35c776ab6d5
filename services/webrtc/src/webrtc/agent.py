"""One viewer's ICE (RFC 8445), by aioice, on sockets of our own choice."""

import asyncio
import contextlib
import time

from aioice import Candidate, Connection
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import StunProtocol, server_reflexive_candidate

from .network import Network
from .offer import MAX_CANDIDATES


class Agent(Connection):
    """Gathers on the sockets of the network; `heard` is when the viewer was last heard of."""

    def __init__(self, network: Network, gather: float) -> None:
        super().__init__(ice_controlling=False, stun_server=network.stun)
        self.heard = time.monotonic()
        self._network = network
        self._gather = gather

    async def get_component_candidates(
        self,
        component: int,
        addresses: list[str],
        timeout: int = 5,  # noqa: ASYNC109 (aioice's)
    ) -> list[Candidate]:
        """Host candidates and, with a STUN server, reflexive ones; NoPort without any socket."""
        loop = asyncio.get_running_loop()
        for sock in self._network.sockets():
            _, protocol = await loop.create_datagram_endpoint(lambda: StunProtocol(self), sock=sock)
            protocol.local_candidate = host_candidate(component, *sock.getsockname()[:2])
            self._protocols.append(protocol)
        found = [protocol.local_candidate for protocol in self._protocols]
        if self.stun_server:
            found += await self._reflexive(self.stun_server)
        return found

    async def _reflexive(self, server: tuple[str, int]) -> list[Candidate]:
        asked = [
            asyncio.create_task(server_reflexive_candidate(protocol, server))
            for protocol in self._protocols
            if ":" not in protocol.local_candidate.host
        ]
        if not asked:
            return []
        done, pending = await asyncio.wait(asked, timeout=self._gather)
        for task in pending:
            task.cancel()
        return [task.result()[0] for task in done if not task.exception()]

    async def candidates(self) -> list[Candidate]:
        """What to tell the viewer: all that was gathered, and the public ones."""
        found = self.local_candidates
        for local in self.local_candidates:
            for address in await self._network.public_addresses():
                public = host_candidate(local.component, address, local.port)
                if local.type == "host" and (":" in address) == (":" in local.host):
                    found.append(public)
        return list({(c.host, c.port): c for c in found}.values())

    async def hear_of(self, candidate: Candidate) -> None:
        """Take a candidate of the viewer.

        Names of mDNS are left out: a browser that hides its address so reaches us by itself. So
        are those beyond MAX_CANDIDATES.
        """
        if len(self.remote_candidates) >= MAX_CANDIDATES:
            return
        usable = candidate.component == 1 and candidate.transport.lower() == "udp"
        if usable and not candidate.host.endswith(".local"):
            with contextlib.suppress(ValueError):
                await self.add_remote_candidate(candidate)

    def data_received(self, data: bytes, component: int) -> None:
        """A datagram that is not STUN has come."""
        if not data:
            # Anybody can send one, and aiortc would end the session at it.
            return
        self.heard = time.monotonic()
        super().data_received(data, component)

    def send_all(self, packets: list[bytes]) -> None:
        """Send on the chosen pair at once; what cannot be sent is lost, as on any network."""
        if pair := self._nominated.get(1):
            transport, address = pair.protocol.transport, pair.remote_addr
            for packet in packets:
                transport.sendto(packet, address)


def host_candidate(component: int, host: str, port: int) -> Candidate:
    """A candidate of type host (RFC 8445 §5.1.1.1)."""
    return Candidate(
        foundation=candidate_foundation("host", "udp", host),
        component=component,
        transport="udp",
        priority=candidate_priority(component, "host"),
        host=host,
        port=port,
        type="host",
    )
