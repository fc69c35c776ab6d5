"""Viewers of WebRTC as a server sees them: ICE, DTLS, and then the media, which most throw away.

Only one in `SAMPLE` decrypts what comes, counts it and tells its age. The kernel drops what comes
for the others: a Python client that read everything would be the side that saturates.
"""

import asyncio
import socket
from multiprocessing.connection import Connection

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.rtp import RtpPacket
from bus import Bus, Settings
from bus.messages import WebrtcOffer
from bus.topics import WEBRTC_OFFER
from media.clock import boottime

SAMPLE = 20
SMALLEST = 2304
"""Bytes of a receive buffer: less the kernel does not give."""


class WhepLoad:
    """All viewers of one process."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.pictures = 0
        self.ages: list[float] = []
        self.measuring = False

    async def run(self, pipe: Connection, seconds: float) -> None:
        bus = Bus(Settings(), "bench-load", "0")
        presence = asyncio.create_task(bus.run())
        await bus.link.ready()
        peers: list[RTCPeerConnection] = []
        for first in range(0, self.count, 4):
            batch = range(first, min(first + 4, self.count))
            peers += await asyncio.gather(*(self.join(bus, number) for number in batch))
        await asyncio.sleep(2)
        self.measuring = True
        pipe.send("go")
        await asyncio.sleep(seconds)
        self.measuring = False
        lost = sum(peer.connectionState != "connected" for peer in peers)
        watched = -(-self.count // SAMPLE)
        pipe.send((self.pictures / watched * self.count, lost, sorted(self.ages)))
        await asyncio.to_thread(pipe.recv)
        presence.cancel()

    async def join(self, bus: Bus, number: int) -> RTCPeerConnection:
        """Connect one viewer; then read its media or leave it to the kernel."""
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        transceiver = peer.addTransceiver("video", direction="recvonly")
        connected = asyncio.Event()
        peer.on("connectionstatechange", lambda: connected.set())
        await peer.setLocalDescription(await peer.createOffer())
        offer = WebrtcOffer(camera="bench", sdp=peer.localDescription.sdp)
        answer = await bus.request(WEBRTC_OFFER, offer, 20)
        transport = transceiver.receiver.transport
        transport._handle_rtp_data = self.received  # type: ignore[method-assign]
        await peer.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
        while peer.connectionState != "connected":
            connected.clear()
            await connected.wait()
        if number % SAMPLE:
            self.stop_reading(peer)
        return peer

    def stop_reading(self, peer: RTCPeerConnection) -> None:
        """Let the kernel throw away what comes."""
        loop = asyncio.get_running_loop()
        ice = peer.getTransceivers()[0].receiver.transport.transport._connection
        for protocol in ice._protocols:
            found: socket.socket = protocol.transport.get_extra_info("socket")
            found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALLEST)
            loop._remove_reader(found.fileno())  # type: ignore[attr-defined]

    async def received(self, data: bytes, arrival_time_ms: int) -> None:
        """One packet of a viewer that looks."""
        packet = RtpPacket.parse(data)
        if self.measuring and packet.marker:
            self.pictures += 1
            ticks = (round(boottime() * 90_000) - packet.timestamp) % (1 << 32)
            self.ages.append(ticks / 90_000)
