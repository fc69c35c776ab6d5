"""A WebRTC viewer made of aiortc, which keeps what it receives as it was sent."""

import asyncio
import contextlib
import http.client
import time
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any, NamedTuple

import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtp import AnyRtcpPacket, RtcpPacket, RtpPacket
from bus.messages import WebrtcStatus
from bus.topics import WEBRTC_STATUS
from bus_camera import Camera
from conftest import DEADLINE, Service, wait_until
from web_station import Answer, Web

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"
STAP_A, FU_A = 24, 28


def ask(
    web: Web, method: str, path: str, body: str | bytes = b"", kind: str = SDP, **headers: str
) -> Answer:
    """One request; `If_Match` is the header If-Match."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection(web.host, timeout=DEADLINE)
    with contextlib.closing(connection):
        connection.request(method, path, body, given | ({"Content-Type": kind} if kind else {}))
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())


def with_webrtc(start: Callable[..., Service], camera: Camera, **settings: str) -> Web:
    """`python -m web` and `python -m webrtc` beside a camera; settings are of `[webrtc]`."""
    ours = {key: settings.pop(key) for key in list(settings) if key.startswith("BEEPER_")}
    variables = {f"BEEPER_WEBRTC__{key.upper()}": value for key, value in settings.items()}
    start("webrtc", **variables)
    web = Web(start, linger="0.5", warm="1", **ours)
    wait_until(lambda: offered(web, camera.name), "WebRTC is offered")
    return web


def offered(web: Web, camera: str) -> bool:
    """Whether api/cameras offers WebRTC for a camera with a header."""
    found = web.get("/api/cameras").json()["cameras"]
    return any(c["name"] == camera and c["tracks"] and "webrtc" in c["protocols"] for c in found)


class Picture(NamedTuple):
    """The NAL units of one RTP timestamp."""

    timestamp: int
    nals: list[bytes]
    at: float

    @property
    def key(self) -> bool:
        return any(nal[0] & 31 == 5 for nal in self.nals)

    @property
    def sample(self) -> bytes:
        """Its slices as in a fragment: each behind its length."""
        slices = [nal for nal in self.nals if nal[0] & 31 in (1, 5)]
        return b"".join(len(nal).to_bytes(4, "big") + nal for nal in slices)


class Viewer:
    """Watches one camera; packets are taken behind SRTP and before aiortc's jitter buffer."""

    def __init__(self, web: Web, camera: str = "csi", audio: bool = False) -> None:
        self.path = f"/{camera}_camera/whep"
        self.packets: list[tuple[RtpPacket, float]] = []
        self.reports: list[AnyRtcpPacket] = []
        self.answer = ""
        self.session = ""
        self.etag = ""
        self.headers: dict[str, str] = {}
        """What to say beside the offer."""
        self.peer = RTCPeerConnection()
        self._web = web
        for kind in ("video", "audio") if audio else ("video",):
            self.peer.addTransceiver(kind, direction="recvonly")

    async def __aenter__(self) -> "Viewer":
        await self.watch()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.peer.close()

    async def offer(self) -> str:
        """The offer, with every candidate in it."""
        await self.peer.setLocalDescription(await self.peer.createOffer())
        return str(self.peer.localDescription.sdp)

    async def watch(self) -> None:
        """Offer, take the answer, and connect."""
        said = await self.post(await self.offer())
        assert said.status == 201, said.body
        self.session = f"{self.path}/{said.headers['Location'].removeprefix('whep/')}"
        self.etag = said.headers["ETag"]
        self.answer = said.body.decode()
        await self.peer.setRemoteDescription(RTCSessionDescription(self.answer, "answer"))
        self.transport._handle_rtp_data = self._take  # type: ignore[method-assign]
        self.transport._handle_rtcp_data = self._hear  # type: ignore[method-assign]

    async def post(self, offer: str) -> Answer:
        """Send an offer."""
        return await asyncio.to_thread(
            ask, self._web, "POST", self.path, offer, SDP, **self.headers
        )

    @property
    def transport(self) -> RTCDtlsTransport:
        transport: RTCDtlsTransport = self.peer.getTransceivers()[0].receiver.transport
        return transport

    async def send(self, feedback: AnyRtcpPacket) -> None:
        """Tell the sender something."""
        await self.transport._send_rtp(bytes(feedback))

    async def until(self, condition: Callable[[], Any], what: str) -> None:
        """Wait for something to have been received."""
        end = time.monotonic() + DEADLINE
        while not condition():
            if time.monotonic() > end:
                pytest.fail(f"never: {what}")
            await asyncio.sleep(0.01)

    async def see(self, count: int) -> list[Picture]:
        """The pictures so far, once there are as many."""
        await self.until(lambda: len(self.pictures) >= count, f"{count} pictures")
        return self.pictures

    @property
    def pictures(self) -> list[Picture]:
        """All whole pictures in the order of their arrival."""
        video = [(packet, at) for packet, at in self.packets if packet.payload_type == self.kind]
        groups = [list(g) for _, g in groupby(video, key=lambda item: item[0].timestamp)]
        return [
            Picture(group[0][0].timestamp, list(units([p.payload for p, _ in group])), group[-1][1])
            for group in groups
            if group[-1][0].marker
        ]

    @property
    def kind(self) -> int:
        """The payload type of H.264."""
        return int(self.answer.split("H264/90000")[0].rpartition("a=rtpmap:")[2])

    async def _take(self, data: bytes, arrival_time_ms: int) -> None:
        self.packets.append((RtpPacket.parse(data), time.time()))

    async def _hear(self, data: bytes) -> None:
        self.reports += RtcpPacket.parse(data)


class Sessions:
    """How many sessions the service says it has."""

    def __init__(self, camera: Camera) -> None:
        self.now = -1
        camera.subscribe(WEBRTC_STATUS, self._take)

    def _take(self, status: WebrtcStatus, _levels: Any) -> None:
        self.now = status.sessions


def units(payloads: list[bytes]) -> Iterator[bytes]:
    """The NAL units of RTP payloads: RFC 6184 §5.6 to §5.8."""
    whole = b""
    for payload in payloads:
        kind = payload[0] & 31
        if kind == STAP_A:
            rest = payload[1:]
            while rest:
                size = int.from_bytes(rest[:2], "big")
                yield rest[2 : 2 + size]
                rest = rest[2 + size :]
        elif kind == FU_A:
            if payload[1] & 0x80:
                whole = bytes((payload[0] & 0xE0 | payload[1] & 31,))
            whole += payload[2:]
            if payload[1] & 0x40:
                yield whole
        else:
            yield payload
