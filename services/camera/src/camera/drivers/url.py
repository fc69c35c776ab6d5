"""Foreign sources: what is fit for browsers is copied, anything else is encoded again."""

import logging

from media.clock import boottime
from media.h264 import is_key
from media.nut import Packet, Stream

from camera import ffmpeg
from camera.address import Address
from camera.child import program
from camera.clocks import ArrivalClock
from camera.foreign import is_h264, nal_units
from camera.opening import opened
from camera.proof import Proof, Refusal
from camera.settings import Camera
from camera.source import AccessUnit, CaptureClock, Encoding, Sink, SourceError

log = logging.getLogger(__name__)

_AHEAD = 10.0
"""Seconds of recording within the first moments: nothing live gives that."""


class UrlDriver:
    """A source at a URL. Whether it can be copied is found out once and then remembered."""

    name = "url"
    clock: CaptureClock | None = "arrival"
    simulated = False

    def __init__(self, camera: Camera) -> None:
        self.encoding: Encoding | None = None
        self.warning: str | None = None
        self._camera = camera
        self._address = Address(camera.url.get_secret_value())
        self._paced = False

    async def ready(self) -> None:
        """See source.Driver."""
        program("ffmpeg")

    async def run(self, sink: Sink) -> None:
        """See source.Driver."""
        while True:
            copying = self.encoding != "software"
            attempt = _Copy(self._paced, sink, self) if copying else _Again(self._paced, sink)
            try:
                await self._play(attempt, copying)
            except SourceError as error:
                if not attempt.refused and not attempt.hasty:
                    raise SourceError(f"{self._address.shown}: {error}") from error
            if attempt.hasty:
                log.info("%s is a recording: played at its own speed", self._address.shown)
                self._paced = True
            else:
                self.encoding = "software"
                self.warning = f"encoded again, since {attempt.refused}"

    async def _play(self, attempt: "_Attempt", copying: bool) -> None:
        output = _COPY if copying else self._encode()
        async with opened(self._address, self._camera.fps, paced=self._paced) as source:
            decoder = [] if copying else _DECODER
            arguments = [*decoder, *source.arguments, "-map", "0:v:0", *output]
            await ffmpeg.run(arguments, attempt.packet, stdin=source.stdin, source=self._address)

    def _encode(self) -> list[str]:
        width, height = self._camera.width, self._camera.height
        scale = (
            f"scale=w='min({width},iw)':h='min({height},ih)'"
            ":force_original_aspect_ratio=decrease:force_divisible_by=2"
        )
        return ["-vf", scale, *ffmpeg.x264(self._camera)]


# Decoding in several threads by whole frames would hold back as many frames as there are threads.
_DECODER = ["-thread_type", "slice"]
_COPY = ["-c:v", "copy", *ffmpeg.OUT]


class _Attempt:
    """One run of ffmpeg on the source."""

    def __init__(self, paced: bool, sink: Sink) -> None:
        self.refused = ""
        self.hasty = False
        self._paced = paced
        self._sink = sink
        self._clock = ArrivalClock()
        self._first: tuple[float, float] | None = None

    def packet(self, stream: Stream, packet: Packet) -> None:
        """Take what ffmpeg gives; ValueError ends it."""
        now = boottime()
        self._check_pace(packet.pts, now)
        self.take(stream, packet, self._clock.capture(packet.pts, now))

    def take(self, stream: Stream, packet: Packet, capture: float) -> None:
        """Deliver one packet."""
        nals = nal_units(stream, packet)
        self._sink.unit(AccessUnit(nals, capture, is_key(nals)))

    def _check_pace(self, pts: float, now: float) -> None:
        if self._first is None:
            self._first = (pts, now)
        if not self._paced and pts - self._first[0] > now - self._first[1] + _AHEAD:
            self.hasty = True
            raise ValueError("a recording, read too fast")


class _Again(_Attempt):
    """What this service has encoded itself."""


class _Copy(_Attempt):
    """Foreign frames, held to the rule all the time."""

    def __init__(self, paced: bool, sink: Sink, driver: UrlDriver) -> None:
        super().__init__(paced, sink)
        self._proof = Proof()
        self._driver = driver

    def take(self, stream: Stream, packet: Packet, capture: float) -> None:
        """Deliver one packet once it is proven that it may go out as it is."""
        try:
            if not is_h264(stream):
                raise Refusal("it is not H.264")
            self._proof.look(nal_units(stream, packet), packet.pts)
        except Refusal as refusal:
            self.refused = str(refusal)
            raise ValueError(self.refused) from refusal
        if self._proof.proven:
            self._driver.encoding = "copy"
            super().take(stream, packet, capture)
        else:
            self._sink.alive()
