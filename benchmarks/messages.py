"""CPU per message of the bus client beside aiomqtt, in one run: `python benchmarks/messages.py`."""

import argparse
import asyncio
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
from bus import Settings
from bus.media import MediaConnection
from bus.settings import Mqtt
from bus.topics import FRAGMENT

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from conftest import Broker

FRAME = bytes(6_250)
"""One frame of 1.5 Mbit/s at 30 fps."""
PACE = 0.001
"""Seconds between two messages, so that nothing is dropped; the same for both."""


@contextlib.contextmanager
def measured(results: dict[str, float], name: str, count: int) -> Iterator[None]:
    """The CPU time that this process uses meanwhile, per message, in µs."""
    began = time.process_time()
    yield
    results[name] = (time.process_time() - began) / count * 1e6


async def ours(port: int, count: int, publish: bool, results: dict[str, float]) -> None:
    """Publish, or receive what another process publishes, through `bus.media`."""
    name = "publish" if publish else "receive"
    media = MediaConnection(Settings(mqtt=Mqtt(port=port)), f"bench-{name}")
    task = asyncio.create_task(media.run())
    await media.link.ready()
    done, left = asyncio.Event(), count

    def heard(payload: bytes, _levels: object, _properties: object) -> None:
        nonlocal left
        left -= 1
        if not left:
            done.set()

    if publish:
        with measured(results, f"bus.media {name}", count):
            for _ in range(count):
                media.publish_fragment("bench", "video", "1", FRAME, key=True)
                await asyncio.sleep(PACE)
        assert media.dropped < count / 100, "the broker was too slow for this"
    else:
        media.subscribe(FRAGMENT, heard, camera="bench")
        await asyncio.sleep(0.5)
        with measured(results, f"bus.media {name}", count), feeding(port, count):
            await done.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def theirs(port: int, count: int, publish: bool, results: dict[str, float]) -> None:
    """The same through aiomqtt 2.5."""
    topic = "media/bench/video/fragment/1"
    async with aiomqtt.Client("127.0.0.1", port) as client:
        if publish:
            with measured(results, "aiomqtt publish", count):
                for _ in range(count):
                    await client.publish(topic, FRAME, 0)
                    await asyncio.sleep(PACE)
            return
        await client.subscribe(topic, 0)
        await asyncio.sleep(0.5)
        left = count
        with measured(results, "aiomqtt receive", count), feeding(port, count):
            async for _ in client.messages:
                left -= 1
                if not left:
                    return


@contextlib.contextmanager
def feeding(port: int, count: int) -> Iterator[None]:
    """Another process publishes frames, paced so that nothing is dropped."""
    program = [sys.executable, __file__, "--feed", str(port), "--messages", str(count)]
    with subprocess.Popen(program) as process:
        yield
        process.wait(60)


async def feed(port: int, count: int) -> None:
    """Publish `count` frames."""
    async with aiomqtt.Client("127.0.0.1", port) as client:
        for _ in range(count):
            await client.publish("media/bench/video/fragment/1", FRAME, 0)
            await asyncio.sleep(PACE)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=5000)
    parser.add_argument("--feed", type=int, metavar="PORT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.feed:
        asyncio.run(feed(options.feed, options.messages))
        return
    results: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker(Path(folder))
        broker.start()
        for publish in (True, False):
            for client in (ours, theirs):
                asyncio.run(client(broker.port, options.messages, publish, results))
        broker.stop()
    print(f"CPU per message of {len(FRAME)} bytes, QoS 0, {options.messages} messages:")
    for name, cost in results.items():
        print(f"  {name:<18} {cost:6.0f} µs")


if __name__ == "__main__":
    main()
