"""Foreign sources: what is fit for browsers is copied, anything else is encoded again."""

import asyncio

from camera.address import Address
from camera.child import program
from camera.demuxer import Demuxer
from camera.opening import Opening, opened
from camera.player import Player
from camera.settings import Camera
from camera.source import CaptureClock, Encoding, Sink, SourceError


class UrlDriver:
    """A source at a URL.

    refused: why the stream with this description cannot be copied; found out once, then remembered.
    """

    name = "url"
    clock: CaptureClock | None = "arrival"
    simulated = False

    def __init__(self, camera: Camera) -> None:
        self.encoding: Encoding | None = None
        self.warning: str | None = None
        self.refused: tuple[object, str] | None = None
        self._camera = camera
        self._address = Address(camera.url.get_secret_value())

    async def ready(self) -> None:
        """See source.Driver."""
        program("ffmpeg")

    async def run(self, sink: Sink) -> None:
        """See source.Driver."""
        try:
            async with opened(self._address, self._camera.fps) as opening:
                await self._play(opening, sink)
        except SourceError as error:
            raise SourceError(f"{self._address.shown}: {error}") from error

    async def _play(self, opening: Opening, sink: Sink) -> None:
        demuxer = Demuxer(self._address, opening)
        player = Player(self._camera, demuxer, self, sink)
        reading = asyncio.ensure_future(demuxer.run(player.take))
        try:
            await asyncio.wait((reading, player.failure), return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                await player.played()
            await (player.failure if player.failure.done() else reading)
        finally:
            reading.cancel()
            await asyncio.wait((reading,))
            await player.close()
