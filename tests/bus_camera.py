"""A camera that plays a real recording on the bus, as the camera service would."""

import asyncio
import functools
import itertools
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, TypeVar

from bus import Bus, Levels, Message, Settings, Topic
from bus.media import MediaConnection
from bus.messages import CameraStatus
from bus.settings import Mqtt
from bus.topics import CAMERA_STATUS
from conftest import DEADLINE
from media.clock import boottime, to_wall
from media.cmaf import (
    AUDIO_TRACK,
    VIDEO_TRACK,
    Init,
    fragment,
    opus_init,
    video_init,
)
from media.h264 import AnnexBSplitter, is_key, length_prefixed

FPS = 30
GROUP = 15
"""Frames between two key frames: half a second."""

T = TypeVar("T")


class Picture(NamedTuple):
    data: bytes
    key: bool


class Recording(NamedTuple):
    sps: bytes
    pps: bytes
    pictures: list[Picture]


@functools.cache
def record(size: str) -> Recording:
    """Two seconds of noise that x264 encoded, so that frames have a real camera's sizes."""
    source = f"testsrc2=s={size}:r={FPS},noise=alls=40:allf=t"
    command = ["ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", source, "-t", "2"]
    command += ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency"]
    command += ["-profile:v", "baseline", "-pix_fmt", "yuv420p", "-g", str(GROUP)]
    command += ["-b:v", "1500k", "-maxrate", "1500k", "-bufsize", "300k", "-threads", "1"]
    command += ["-slices", "1", "-f", "h264", "-"]
    stream = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    splitter = AnnexBSplitter()
    splitter.feed(stream)
    units = splitter.take(2 * FPS)
    sets = {nal[0] & 31: nal for nal in units[0]}
    pictures = [
        Picture(length_prefixed([nal for nal in unit if nal[0] & 31 in (1, 5)]), is_key(unit))
        for unit in units
    ]
    return Recording(sets[7], sets[8], pictures)


class Camera:
    """Publishes as the camera service does, from a thread of its own; stopped until `film`."""

    def __init__(self, port: int, name: str = "csi", size: str = "320x240") -> None:
        self.name = name
        self.counts: Counter[str] = Counter()
        self.session = ""
        self.filming = False
        self.recording = record(size)
        self._settings = Settings(mqtt=Mqtt(port=port, retry_max=0.3, status_interval=1))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._live(),))
        self._ready = threading.Event()

    def __enter__(self) -> "Camera":
        self._thread.start()
        assert self._ready.wait(DEADLINE)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(DEADLINE)
        self._loop.close()

    def film(self, session: str = "first") -> None:
        """Begin a session: the headers, then frames at 30 a second, and sound."""
        self._call(self._begin(session))

    def stop(self) -> None:
        self.filming = False

    def silence(self) -> None:
        """Have no sound any more."""
        self._loop.call_soon_threadsafe(self.media.clear_init, self.name, "audio")

    def say(self, **fields: Any) -> None:
        """Publish the camera's status."""
        about: dict[str, Any] = {"state": "streaming", "driver": "test", "interval": 600.0}
        status = CameraStatus(timestamp=time.time(), **(about | fields))
        self.publish(CAMERA_STATUS, status, camera=self.name)

    def publish(self, topic: Topic[Any], message: Message, **levels: str) -> None:
        self._call(self.bus.publish(topic, message, **levels))

    def subscribe(self, topic: Topic[Any], handler: Callable[[Any, Levels], None]) -> None:
        async def hear() -> None:
            self.bus.subscribe(topic, handler)

        self._call(hear())

    def jpeg(self, picture: bytes) -> None:
        self._loop.call_soon_threadsafe(self.media.publish_jpeg, self.name, picture)

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(DEADLINE)

    async def _live(self) -> None:
        self._end = asyncio.Event()
        self.bus = Bus(self._settings, f"camera-{self.name}", "0")
        self.media = MediaConnection(self._settings, f"camera-{self.name}")
        parts = [self.bus.run(), self.media.run(), self._play(), self._hum()]
        tasks = [asyncio.create_task(part) for part in parts]
        await self.bus.link.ready()
        await self.media.link.ready()
        self._ready.set()
        await self._end.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _begin(self, session: str) -> None:
        self.session = session
        sps, pps, _ = self.recording
        init = video_init(sps, pps)
        codecs = Init.parse(init).codecs
        self.media.publish_init(self.name, "video", init, session=session, codecs=codecs)
        self.media.publish_init(self.name, "audio", opus_init(), session=session, codecs="opus")
        self.pictures = itertools.cycle(self.recording.pictures)
        self.filming = True

    async def _play(self) -> None:
        began, count = boottime(), 0
        while True:
            if self.filming:
                picture = next(self.pictures)
                moment = began + count / FPS
                self._send("video", VIDEO_TRACK, moment, picture.data, picture.key)
            count += 1
            await asyncio.sleep(began + count / FPS - boottime())

    async def _hum(self) -> None:
        began, count = boottime(), 0
        while True:
            if self.filming:
                self._send("audio", AUDIO_TRACK, began + count / 50, bytes(60), True)
            count += 1
            await asyncio.sleep(began + count / 50 - boottime())

    def _send(self, track: str, number: int, moment: float, data: bytes, key: bool) -> None:
        scale, rate = (90_000, FPS) if track == "video" else (48_000, 50)
        self.counts[track] += 1
        seq, tfdt = self.counts[track], round(moment * scale)
        data = fragment(number, seq, tfdt, scale // rate, to_wall(moment), data, key)
        self.media.publish_fragment(self.name, track, self.session, data, key)

    @property
    def seq(self) -> int:
        """Pictures so far; a step makes a gap."""
        return self.counts["video"]

    @seq.setter
    def seq(self, value: int) -> None:
        self.counts["video"] = value
