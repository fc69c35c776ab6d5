"""A camera that works, of which nothing leaves."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from bus import Bus
from bus.media import MediaConnection
from bus.settings import Mqtt
from camera.outlet import MOMENT, PART, Outlet
from camera.settings import Settings
from conftest import DEADLINE, Broker
from media.clock import boottime


class Station:
    """The bus, which is connected, and the connection for media, which is not yet."""

    def __init__(self, port: int) -> None:
        settings = Settings(mqtt=Mqtt(port=port, retry_min=0.05, retry_max=0.2))
        self.bus = Bus(settings, "camera-csi", "0")
        self.media = MediaConnection(settings, "camera-csi")
        self.outlet = Outlet(self.bus, self.media)
        self.now = boottime()
        self.tasks = [asyncio.create_task(self.bus.run())]

    async def connect_media(self) -> None:
        self.tasks.append(asyncio.create_task(self.media.run()))
        await asyncio.wait_for(self.media.link.ready(), DEADLINE)

    def after(self, seconds: float) -> str:
        """What is said so much later."""
        self.now += seconds
        self.outlet.look(self.now)
        return self.bus.problems.get(PART, "")


@pytest.fixture
async def station(broker: Broker) -> AsyncIterator[Station]:
    station = Station(broker.port)
    await asyncio.wait_for(station.bus.link.ready(), DEADLINE)
    yield station
    for task in station.tasks:
        task.cancel()
    await asyncio.gather(*station.tasks, return_exceptions=True)


async def test_a_connection_that_is_missing_is_said_until_it_is_there(station: Station) -> None:
    assert not station.after(MOMENT / 2)
    said = "pictures and sound are dropped: the broker is away (not connected yet)"
    assert station.after(MOMENT) == said
    await station.connect_media()
    assert not station.after(1)


async def test_fragments_that_are_dropped_for_more_than_a_moment_are_said(
    station: Station,
) -> None:
    await station.connect_media()
    assert not station.after(MOMENT * 2)
    for _ in range(2):
        station.media.dropped += 1
        assert not station.after(MOMENT / 2)
    station.media.dropped += 1
    assert station.after(MOMENT / 2) == "pictures and sound are dropped: the broker is slow"
    assert not station.after(1)


async def test_without_the_bus_it_is_no_matter_of_the_media(
    station: Station, broker: Broker
) -> None:
    broker.stop()
    await asyncio.wait_for(station.bus.disconnected(), DEADLINE)
    assert not station.after(MOMENT * 2)
