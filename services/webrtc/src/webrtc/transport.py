"""One viewer's DTLS and SRTP (RFC 5763, RFC 5764), by aiortc, without its senders.

aiortc's sender makes each packet anew for each viewer, from a queue of each; here a picture is cut
into packets once, and each viewer adds twelve bytes and its encryption.
"""

import asyncio
from collections.abc import Callable
from typing import cast

from aiortc import RTCCertificate, RTCDtlsTransport, RTCIceTransport
from aiortc.rtcdtlstransport import RTCDtlsParameters, State
from aiortc.rtp import AnyRtcpPacket, RtcpPacket

from .agent import Agent


class Wire:
    """What RTCDtlsTransport needs of an RTCIceTransport."""

    def __init__(self, agent: Agent) -> None:
        self.role = "controlled"
        self._recv = agent.recv
        self._send = agent.send


class Transport(RTCDtlsTransport):
    """Encrypts what goes out, and tells what viewers say about it."""

    def __init__(
        self,
        agent: Agent,
        certificate: RTCCertificate,
        on_feedback: Callable[[AnyRtcpPacket], None],
    ) -> None:
        super().__init__(cast(RTCIceTransport, Wire(agent)), [certificate])
        self.ended = asyncio.Event()
        self._agent = agent
        self._on_feedback = on_feedback

    async def open(self, remote: RTCDtlsParameters, role: str) -> None:
        """Shake hands as "client" or "server"; ConnectionError when that fails."""
        self._set_role(role)
        await self.start(remote)
        if self._state is not State.CONNECTED:
            raise ConnectionError("the DTLS handshake failed")

    def send(self, packets: list[bytes]) -> None:
        """Encrypt and send RTP packets."""
        if self._state is State.CONNECTED:
            protect = self._tx_srtp.protect
            self._agent.send_all([protect(packet) for packet in packets])

    def send_report(self, packet: bytes) -> None:
        """Encrypt and send an RTCP packet."""
        if self._state is State.CONNECTED:
            self._agent.send_all([self._tx_srtp.protect_rtcp(packet)])

    def _set_state(self, state: State) -> None:
        super()._set_state(state)
        if state in (State.CLOSED, State.FAILED):
            self.ended.set()

    async def _handle_rtcp_data(self, data: bytes) -> None:
        try:
            packets = RtcpPacket.parse(data)
        except ValueError:
            return
        for packet in packets:
            self._on_feedback(packet)

    async def _handle_rtp_data(self, data: bytes, arrival_time_ms: int) -> None:
        """Viewers have nothing to send."""
