"""One viewer: from its offer to its end."""

import asyncio
import logging
import secrets
from time import monotonic

from aiortc import RTCCertificate
from aiortc.rtp import (
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    AnyRtcpPacket,
    RtcpPsfbPacket,
    RtcpRtpfbPacket,
)
from media.cmaf import Init

from .agent import Agent
from .answer import Local, Sending, write_answer
from .feed import Feed
from .network import Network
from .offer import PLAYOUT_DELAY, Codec, Offer, choose_h264, choose_opus, extension_id
from .settings import Webrtc
from .stream import RtpStream
from .transport import Transport

log = logging.getLogger(__name__)

REPORTS = 1.0
"""Seconds between two sender reports, and looks at whether the viewer is still there."""
FIRST_REPORTS = 0.2
"""Seconds to the second report: players need two to know when timestamps are."""
PLI_AFTER_KEY = 0.3
"""Seconds after a key frame in which a viewer asks for one that is already on its way."""
WAITS_FOR_SOUND = 500
"""Milliseconds that a browser may hold pictures back until their sound comes out of its buffer;
below 500 it still shows them without a queue of its own."""


class Session:
    """Answers an offer and sends the camera until the viewer, or the camera's clock, ends it."""

    def __init__(
        self,
        offer: Offer,
        feed: Feed,
        network: Network,
        certificate: RTCCertificate,
        settings: Webrtc,
    ) -> None:
        self.name = secrets.token_hex(16)
        self.agent = Agent(network, settings.gather)
        self.audio = False
        self._offer = offer
        self._feed = feed
        self._settings = settings
        self._certificate = certificate
        self._transport = Transport(self.agent, certificate, self._feedback)
        self._video: RtpStream | None = None
        self._sound: RtpStream | None = None
        self._waiting = True
        self._key_at = 0.0
        self._reason = "the viewer has left"
        self._closed = False

    @property
    def etag(self) -> str:
        """The tag of this ICE session: it never restarts."""
        return f'"{self.agent.local_username}"'

    async def answer(self, init: Init) -> str:
        """The answer to the offer; Unacceptable or NoPort when there is none."""
        codec = choose_h264(self._offer.video, init.codecs)
        media = self._offer.audio
        opus = choose_opus(media) if media and self._feed.has_audio else None
        await self.agent.gather_candidates()
        ice = self._offer.ice
        self.agent.remote_username, self.agent.remote_password = ice.usernameFragment, ice.password
        for candidate in self._offer.candidates:
            await self.agent.hear_of(candidate)
        video = self._picture(codec, WAITS_FOR_SOUND if opus else 0)
        sound = self._opus(opus) if opus else None
        return write_answer(self._offer, await self._local(), video, sound, self.name)

    async def run(self) -> None:
        """Connect and send until it ends; never raises for what a viewer does."""
        try:
            async with asyncio.timeout(self._settings.connect):
                await self.agent.connect()
                await self._transport.open(self._offer.dtls, self._role)
            self._feed.join(self)
            await self._watch()
        except TimeoutError:
            self._reason = f"not connected within {self._settings.connect:g} s"
        except ConnectionError as error:
            self._reason = str(error)
        finally:
            self._feed.leave(self)
            await self.close()
            log.info("%s: a viewer's session ends: %s", self._feed.name, self._reason)

    async def close(self) -> None:
        """Give the sockets back; a second time does nothing."""
        if self._closed:
            return
        self._closed = True
        await self._transport.stop()
        await self.agent.close()

    def end(self, reason: str) -> None:
        """Let `run` come to its end."""
        self._reason = reason
        self._transport.ended.set()

    def restart(self) -> None:
        """Send nothing more until the next key frame."""
        self._waiting = True

    def video(self, payloads: list[bytes], timestamp: int, key: bool) -> None:
        """Send a picture, unless it cannot be decoded."""
        if key:
            self._waiting = False
            self._key_at = monotonic()
        if self._video and not self._waiting:
            self._video.send(payloads, timestamp)

    def sound(self, packet: bytes, timestamp: int) -> None:
        """Send a packet of sound."""
        if self._sound:
            self._sound.send([packet], timestamp)

    @property
    def _role(self) -> str:
        return "server" if self._offer.dtls.role == "client" else "client"

    async def _local(self) -> Local:
        return Local(
            self.name,
            self.agent.local_username,
            self.agent.local_password,
            self._certificate.getFingerprints(),
            "passive" if self._role == "server" else "active",
            await self.agent.candidates(),
        )

    def _picture(self, codec: Codec, most: int) -> Sending:
        number = extension_id(self._offer.video, PLAYOUT_DELAY)
        extension = playout_delay(number, most) if number else b""
        stream = RtpStream(self._transport, codec.payload_type, codec.rtx, extension)
        self._video = stream
        epoch = self._feed.timelines["video"].epoch
        extensions = ((number, PLAYOUT_DELAY),) if number else ()
        return Sending(codec, "video", stream.ssrc, stream.rtx_ssrc, epoch, extensions)

    def _opus(self, codec: Codec) -> Sending:
        self.audio = True
        stream = self._sound = RtpStream(self._transport, codec.payload_type, None, b"")
        epoch = self._feed.timelines["audio"].epoch
        return Sending(codec, "audio", stream.ssrc, stream.rtx_ssrc, epoch)

    async def _watch(self) -> None:
        wait = FIRST_REPORTS
        while True:
            self._report()
            try:
                async with asyncio.timeout(wait):
                    await self._transport.ended.wait()
                return
            except TimeoutError:
                wait = REPORTS
            if monotonic() - self.agent.heard > self._settings.silent:
                self._reason = f"nothing heard of it for {self._settings.silent:g} s"
                return

    def _report(self) -> None:
        if self._video:
            self._video.report(self.name, self._feed.timelines["video"])
        if self._sound:
            self._sound.report(self.name, self._feed.timelines["audio"])

    def _feedback(self, packet: AnyRtcpPacket) -> None:
        if isinstance(packet, RtcpRtpfbPacket) and packet.fmt == RTCP_RTPFB_NACK:
            for stream in (self._video, self._sound):
                if stream and packet.media_ssrc == stream.ssrc:
                    stream.send_again(packet.lost)
        elif isinstance(packet, RtcpPsfbPacket) and packet.fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR):
            # What comes before the next key frame could not be decoded anyway.
            self._waiting = self._waiting or monotonic() - self._key_at > PLI_AFTER_KEY


def playout_delay(number: int, most: int) -> bytes:
    """The header extension (RFC 8285, playout-delay) that asks for 0 to `most` ms."""
    return bytes((0xBE, 0xDE, 0, 1, number << 4 | 2)) + (most // 10).to_bytes(3, "big")
