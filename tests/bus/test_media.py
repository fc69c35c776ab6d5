"""The media connection against a real Mosquitto."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator

import pytest
from bus import Levels, Settings
from bus.media import MediaConnection
from bus.settings import Mqtt
from bus.topics import FRAGMENT, INIT, JPEG
from conftest import DEADLINE, Broker, wait_until

Arrived = tuple[bytes, Levels, dict[str, str]]
FRAME = bytes(50_000)


class Heard:
    def __init__(self) -> None:
        self.queue: asyncio.Queue[Arrived] = asyncio.Queue()

    def __call__(self, payload: bytes, levels: Levels, properties: dict[str, str]) -> None:
        self.queue.put_nowait((payload, levels, properties))

    async def next(self) -> Arrived:
        return await asyncio.wait_for(self.queue.get(), DEADLINE)


@pytest.fixture
async def media(broker: Broker) -> AsyncIterator[MediaConnection]:
    mqtt = Mqtt(port=broker.port, retry_min=0.05, retry_max=0.2, timeout=1.0, keepalive=1)
    connection = MediaConnection(Settings(mqtt=mqtt), "camera-csi")
    task = asyncio.create_task(connection.run())
    await asyncio.wait_for(connection.link.ready(), DEADLINE)
    yield connection
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def settled(media: MediaConnection) -> None:
    """Wait until what was asked of the broker has been done: a retained round trip."""
    done = Heard()
    stop = media.subscribe(INIT, done, camera="probe")
    media.publish_init("probe", "video", b"x", session="0", codecs="")
    await done.next()
    stop()


async def test_header_and_fragments_arrive_with_their_levels(media: MediaConnection) -> None:
    media.subscribe(INIT, init := Heard(), camera="csi")
    media.subscribe(FRAGMENT, fragments := Heard(), camera="csi", track="video")
    await settled(media)
    media.publish_init("csi", "video", b"moov", session="a1", codecs="avc1", width=8, height=6)
    assert media.publish_fragment("csi", "video", "a1", b"moof", key=True)
    assert await init.next() == (
        b"moov",
        {"camera": "csi", "track": "video"},
        {"session": "a1", "codecs": "avc1", "width": "8", "height": "6"},
    )
    payload, levels, _ = await fragments.next()
    assert (payload, levels["session"]) == (b"moof", "a1")


async def test_a_header_that_somebody_replaced_is_put_back(
    broker: Broker, media: MediaConnection
) -> None:
    media.publish_init("csi", "video", b"moov", session="a1", codecs="avc1")
    await settled(media)
    intruder = MediaConnection(Settings(mqtt=Mqtt(port=broker.port)), "intruder")
    task = asyncio.create_task(intruder.link.run())
    await asyncio.wait_for(intruder.link.ready(), DEADLINE)
    intruder.subscribe(INIT, heard := Heard(), camera="csi")
    for rubbish in (b"rubbish", b""):
        sent = intruder.link.send("media/csi/video/init", rubbish, 1, True)
        await asyncio.wait_for(sent, DEADLINE)
        while (await heard.next())[0] != rubbish:
            continue
        payload, _, properties = await heard.next()
        assert (payload, properties["session"]) == (b"moov", "a1")
    assert media.invalid[INIT.path] == 2
    media.clear_init("csi", "video")
    while (await heard.next())[0]:
        continue
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_a_dead_broker_costs_fragments_until_the_next_key(
    broker: Broker, media: MediaConnection
) -> None:
    media.publish_init("csi", "video", b"moov", session="a1", codecs="avc1")
    broker.stop()
    await asyncio.to_thread(wait_until, lambda: not media.link.connection, "the link is down")
    assert not media.publish_fragment("csi", "video", "a1", FRAME, key=True)
    broker.start()
    await asyncio.wait_for(media.link.ready(), DEADLINE)
    assert not media.publish_fragment("csi", "video", "a1", FRAME, key=False)
    assert media.publish_fragment("csi", "video", "a1", FRAME, key=True)
    assert media.publish_fragment("csi", "video", "a1", FRAME, key=False)
    assert media.dropped == 2
    media.subscribe(INIT, init := Heard(), camera="csi")
    assert (await init.next())[0] == b"moov"


async def test_a_stopped_broker_neither_blocks_nor_fills_memory(
    broker: Broker, media: MediaConnection
) -> None:
    broker.signal(signal.SIGSTOP)

    def send_until_refused() -> bool:
        return not media.publish_fragment("csi", "video", "a1", FRAME, key=True)

    sent = 0
    while not send_until_refused():
        sent += 1
        assert sent < 1000, "the broker is stopped, and still everything is taken"
    await asyncio.to_thread(wait_until, lambda: not media.link.connection, "it is given up")
    broker.signal(signal.SIGCONT)
    await asyncio.wait_for(media.link.ready(), DEADLINE)
    assert media.publish_fragment("csi", "video", "a1", FRAME, key=True)


async def test_what_is_not_of_the_contract_is_counted(media: MediaConnection) -> None:
    media.subscribe(JPEG, heard := Heard())
    await settled(media)
    assert media.link.connection
    media.link.connection.publish("media/csi/jpeg", b"old", 1, True, None)
    assert media.publish_jpeg("csi", b"new")
    assert (await heard.next())[0] == b"new", "what is retained is seen to be so, live too"
    assert media.invalid[JPEG.path] == 1
    stop = media.subscribe(JPEG, heard, camera="csi")
    await asyncio.to_thread(
        wait_until, lambda: media.invalid[JPEG.path] > 1, "the ghost is counted"
    )
    stop()
    assert heard.queue.empty()


async def test_a_header_is_taken_back_though_the_broker_was_away(
    broker: Broker, media: MediaConnection
) -> None:
    media.subscribe(INIT, heard := Heard(), camera="csi")
    await asyncio.wait_for(media.link.send("media/csi/audio/init", b"moov", 1, True), DEADLINE)
    assert (await heard.next())[0] == b"moov"
    started = MediaConnection(Settings(mqtt=Mqtt(port=broker.port)), "camera-csi-2")
    started.clear_init("csi", "audio")
    task = asyncio.create_task(started.run())
    assert not (await heard.next())[0]
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
