"""WHIP (RFC 9725): one offer over HTTP, then RTP as the fragments come, by aiortc."""

import asyncio
import contextlib
import logging
from urllib.parse import urljoin

import httpx
from aiortc import (
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidAccessError, InvalidStateError
from media.cmaf import VIDEO_TRACK, FragmentHeader, Init

from .address import Address
from .packets import PacketTrack
from .settings import Relay
from .target import Headers, TargetError

log = logging.getLogger(__name__)

_LOOK = 0.25
"""Seconds between two looks at the receiver's reports, which come about once a second."""
_GRACE = 1.0
"""Seconds that the goodbye may take."""
_BAD_ANSWER = (
    InvalidAccessError,
    InvalidStateError,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
"""What aiortc makes of an answer that is none."""


class WhipPush:
    """See target.Push. Accepted is what was sent up to the last receiver report, less what it lost.

    There are no STUN servers: the target is reached by its own address, and sees ours.
    """

    def __init__(self, address: Address, headers: Headers, relay: Relay) -> None:
        # httpx logs each address at INFO, aioice each pair of candidates.
        for library in ("httpx", "aioice"):
            logging.getLogger(library).setLevel(logging.WARNING)
        self.accepted = 0
        self._address = address
        self._limit = relay.connect_timeout
        auth = (address.username, address.password) if address.username else None
        self._http = httpx.AsyncClient(auth=auth, timeout=self._limit, follow_redirects=True)
        self._resource: str | None = None
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._changed = asyncio.Event()
        self._peer.on("connectionstatechange", self._changed.set)
        self._video = PacketTrack("video", Init.parse(headers.video))
        self._tracks = [self._video]
        self._audio: PacketTrack | None = None
        if headers.audio:
            self._audio = PacketTrack("audio", Init.parse(headers.audio))
            self._tracks.append(self._audio)
        self._senders = [self._add(track) for track in self._tracks]
        self._reports: dict[str, object] = {}

    @property
    def dropped(self) -> int:
        """See target.Push."""
        return self._video.dropped

    async def open(self) -> None:
        """See target.Push."""
        await self._peer.setLocalDescription(await self._peer.createOffer())
        answer = await self._offer(self._peer.localDescription.sdp)
        try:
            await self._peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        except _BAD_ANSWER as error:
            raise TargetError(f"its answer is no SDP for this offer: {error}") from error
        while self._peer.connectionState != "connected":
            self._changed.clear()
            self._check()
            await self._changed.wait()

    def send(self, header: FragmentHeader, fragment: bytes) -> None:
        """See target.Push."""
        track = self._video if header.track_id == VIDEO_TRACK else self._audio
        if track:
            track.put(header, fragment[header.offset :])

    async def ended(self) -> None:
        """See target.Push."""
        while True:
            self._check()
            await self._count()
            await asyncio.sleep(_LOOK)

    async def close(self) -> None:
        """See target.Push."""
        try:
            async with asyncio.timeout(_GRACE):
                if self._resource:
                    await self._http.delete(self._resource, headers=self._bearer())
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            log.debug("the target did not hear the goodbye: %s", type(error).__name__)
        for track in self._tracks:
            track.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE):
                await self._peer.close()
        await self._http.aclose()

    def _add(self, track: PacketTrack) -> RTCRtpSender:
        transceiver = self._peer.addTransceiver(track, direction="sendonly")
        kind = "video/H264" if track is self._video else "audio/opus"
        codecs = RTCRtpSender.getCapabilities(track.kind).codecs
        transceiver.setCodecPreferences([c for c in codecs if c.mimeType == kind])
        return transceiver.sender

    async def _offer(self, sdp: str) -> str:
        headers = {"Content-Type": "application/sdp"} | self._bearer()
        try:
            answer = await self._http.post(self._address.full, content=sdp, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            text = str(error) or type(error).__name__
            raise TargetError(self._address.hide(text)) from error
        if answer.status_code != httpx.codes.CREATED:
            phrase = httpx.codes.get_reason_phrase(answer.status_code)
            raise TargetError(f"the WHIP endpoint answered {answer.status_code} {phrase}")
        if location := answer.headers.get("location"):
            try:
                self._resource = urljoin(str(answer.url), location)
            except ValueError as error:
                raise TargetError(f"the WHIP endpoint's Location is no URL: {error}") from error
        return answer.text

    def _bearer(self) -> dict[str, str]:
        token = self._address.token
        return {"Authorization": f"Bearer {token}"} if token else {}

    def _check(self) -> None:
        if (state := self._peer.connectionState) in ("failed", "closed"):
            raise TargetError(f"the WebRTC connection is {state}")

    async def _count(self) -> None:
        """Take what was sent as accepted whenever a new receiver report has come."""
        confirmed, heard = 0, False
        for sender in self._senders:
            stats = list((await sender.getStats()).values())
            sent = next((s.bytesSent for s in stats if s.type == "outbound-rtp"), 0)
            for report in (s for s in stats if s.type == "remote-inbound-rtp"):
                heard |= self._reports.get(report.id) != report.timestamp
                self._reports[report.id] = report.timestamp
                packets = max(1, report.packetsReceived + report.packetsLost)
                confirmed += sent * report.packetsReceived // packets
        if heard:
            self.accepted = max(self.accepted, confirmed)
