"""Where offers arrive: who is let in, and who is still there."""

import asyncio
import contextlib
import time

from aiortc import RTCCertificate
from bus import Bus, BusError, Refusal, wall_clock
from bus.media import MediaConnection
from bus.messages import (
    CameraLease,
    CameraStatus,
    IceServer,
    WebrtcAnswer,
    WebrtcCandidates,
    WebrtcDone,
    WebrtcEnd,
    WebrtcGrants,
    WebrtcLease,
    WebrtcOffer,
    WebrtcStatus,
)
from bus.places import Holder
from bus.repeat import repeat
from bus.topics import (
    CAMERA_LEASE,
    CAMERA_STATUS,
    INIT,
    WEBRTC_CANDIDATES,
    WEBRTC_END,
    WEBRTC_GRANTS,
    WEBRTC_LEASE,
    WEBRTC_OFFER,
    WEBRTC_REVOKE,
    WEBRTC_STATUS,
    Levels,
)

from .feed import Feed
from .network import Network, NoPort
from .offer import Unacceptable, fragment_value, read_candidates, read_offer
from .seats import Seats
from .session import Session
from .settings import Webrtc

MOST = 64
"""Cameras that are known: a flood of invented names must not fill the memory."""
TICK = 0.25
"""Seconds between two looks at who watches what."""
STATUS = 10.0
"""Seconds between two status messages without a change."""
CERTIFICATE_AGE = 86_400.0
"""Seconds for which a certificate is shown to viewers; aiortc's are valid for 30 days."""


class Desk:
    """Answers requests, and keeps cameras going that somebody watches."""

    def __init__(self, bus: Bus, media: MediaConnection, settings: Webrtc) -> None:
        self._bus = bus
        self._media = media
        self._settings = settings
        self._network = Network(settings)
        self._feeds: dict[str, Feed] = {}
        self._changed = asyncio.Event()
        self._seats = Seats(settings.max_sessions, self._changed.set)
        self._said: list[str] | None = None
        self._leased: dict[str, float] = {}
        self._demand: dict[str, str] = {}
        self._certificate = (RTCCertificate.generateCertificate(), time.monotonic())
        bus.subscribe(CAMERA_STATUS, self._take_status)
        bus.subscribe(WEBRTC_LEASE, self._take_lease)
        bus.subscribe(WEBRTC_REVOKE, lambda said, _levels: self._seats.revoke(said.grant))
        media.subscribe(INIT, self._take_init)
        bus.respond(WEBRTC_OFFER, self.offer)
        bus.respond(WEBRTC_CANDIDATES, self.candidates)
        bus.respond(WEBRTC_END, self.end)

    async def run(self) -> None:
        """Renew leases and say the status until cancelled; then end every session."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(repeat(self._say_status, self._changed, STATUS))
                while True:
                    for feed in self._feeds.values():
                        feed.listen()
                        if feed.users:
                            self._lease(feed.name, group)
                    await asyncio.sleep(TICK)
        finally:
            await self._seats.close()

    async def offer(self, asked: WebrtcOffer) -> WebrtcAnswer:
        """Begin a session."""
        feed = self._feeds.get(asked.camera)
        if feed is None:
            raise Refusal(f"there is no camera {asked.camera!r}", 404)
        try:
            offer = read_offer(asked.sdp)
        except Unacceptable as error:
            raise Refusal(str(error), error.code) from None
        seat = self._seats.take(feed, Holder(asked.holder, asked.rank), asked.grant)
        session = None
        try:
            certificate = self._show_certificate()
            session = Session(offer, feed, self._network, certificate, self._settings)
            sdp = await self._answer(session, feed)
            seat.check()
            answer = WebrtcAnswer(session=session.name, etag=session.etag, sdp=sdp)
        except BaseException:
            self._seats.leave(seat)
            if session:
                await session.close()
            raise
        self._seats.begin(seat, session, asked.seconds)
        return answer

    async def candidates(self, asked: WebrtcCandidates) -> WebrtcDone:
        """Take more candidates of a viewer."""
        session = self._seats.find(asked.session)
        if asked.etag != session.etag:
            raise Refusal("If-Match names another ICE session", 412)
        ufrag = fragment_value(asked.fragment, "ice-ufrag")
        if ufrag is not None and ufrag != session.agent.remote_username:
            raise Refusal("ICE restarts are not offered here: make a new session", 422)
        try:
            found = read_candidates(asked.fragment)
        except Unacceptable as error:
            raise Refusal(str(error), error.code) from None
        for candidate in found:
            await session.agent.hear_of(candidate)
        return WebrtcDone(session=asked.session)

    async def end(self, asked: WebrtcEnd) -> WebrtcDone:
        """End a session."""
        await self._seats.end(asked.session)
        return WebrtcDone(session=asked.session)

    async def _answer(self, session: Session, feed: Feed) -> str:
        wait = self._settings.header_wait
        try:
            return await session.answer(await feed.header(wait))
        except TimeoutError:
            raise Refusal(f"camera {feed.name}: no video within {wait:g} s", 503) from None
        except Unacceptable as error:
            raise Refusal(str(error), error.code) from None
        except NoPort as error:
            raise Refusal(f"webrtc: {error}", 503) from None

    def _show_certificate(self) -> RTCCertificate:
        certificate, made = self._certificate
        if time.monotonic() - made > CERTIFICATE_AGE:
            certificate = RTCCertificate.generateCertificate()
            self._certificate = certificate, time.monotonic()
        return certificate

    async def _say_status(self) -> None:
        status = WebrtcStatus(
            sessions=len(self._seats),
            max_sessions=self._settings.max_sessions,
            ice_servers=ice_servers(self._settings),
            timestamp=wall_clock.now(),
        )
        with contextlib.suppress(BusError):
            await self._bus.publish(WEBRTC_STATUS, status)
        if (grants := self._seats.grants) != self._said:
            self._said = grants
            with contextlib.suppress(BusError):
                await self._bus.publish(WEBRTC_GRANTS, WebrtcGrants(grants=grants))

    def _lease(self, camera: str, group: asyncio.TaskGroup) -> None:
        if self._demand.get(camera) == "always":
            return
        now = time.monotonic()
        if now - self._leased.get(camera, float("-inf")) > self._settings.lease / 3:
            self._leased[camera] = now
            group.create_task(self._renew(camera))

    async def _renew(self, camera: str) -> None:
        lease = CameraLease(holder=self._bus.instance, seconds=self._settings.lease)
        with contextlib.suppress(BusError):
            await self._bus.publish(CAMERA_LEASE, lease, camera=camera)

    def _take_status(self, status: CameraStatus, levels: Levels) -> None:
        if self._feed(levels["camera"]):
            self._demand[levels["camera"]] = status.demand

    def _take_lease(self, lease: WebrtcLease, levels: Levels) -> None:
        if feed := self._feeds.get(levels["camera"]):
            feed.warm(lease.seconds)

    def _take_init(self, init: bytes, levels: Levels, properties: dict[str, str]) -> None:
        session = properties.get("session", "")
        if init and not session:
            self._media.drop(INIT, "a header without a session")
        elif feed := self._feed(levels["camera"]):
            feed.take_init(levels["track"], init, session)

    def _feed(self, camera: str) -> Feed | None:
        if camera not in self._feeds and len(self._feeds) < MOST:
            self._feeds[camera] = Feed(camera, self._media, self._settings)
        return self._feeds.get(camera)


def ice_servers(settings: Webrtc) -> list[IceServer]:
    """What browsers are told of STUN and TURN servers."""
    stun = [url for url in settings.ice_servers if url.startswith("stun")]
    turn = [url for url in settings.ice_servers if url.startswith("turn")]
    secret = settings.ice_credential.get_secret_value()
    found = [IceServer(urls=stun)] if stun else []
    if turn:
        found.append(IceServer(urls=turn, username=settings.ice_username, credential=secret))
    return found
