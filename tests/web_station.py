"""A camera that plays a real recording on the bus, and a web process to watch it with."""

import asyncio
import contextlib
import functools
import http.client
import itertools
import json
import re
import struct
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, NamedTuple, TypeVar

from bus import Bus, Levels, Message, Settings, Topic
from bus.media import MediaConnection
from bus.messages import CameraStatus
from bus.settings import Mqtt
from bus.topics import CAMERA_STATUS
from conftest import DEADLINE, Service, free_port, wait_until
from media.clock import boottime, to_wall
from media.cmaf import (
    AUDIO_TRACK,
    VIDEO_TRACK,
    FragmentHeader,
    Init,
    fragment,
    opus_init,
    video_init,
)
from media.h264 import AnnexBSplitter, is_key, length_prefixed
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

FPS = 30
UNHURRIED = {"BEEPER_ACCESS__RATE": "10000", "BEEPER_ACCESS__BURST": "100000"}
"""Tests ask more often than people."""
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
        about: dict[str, Any] = {"state": "streaming", "driver": "test", "interval": 10.0}
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


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Web:
    """A running `python -m web`; `linger="1"` is a setting of `[web]`, `BEEPER_…` any other."""

    source: tuple[str, int] | None = None
    """The address to ask from."""

    def __init__(self, start: Callable[..., Service], *replica: str, **settings: str) -> None:
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        variables = {
            key if key.startswith("BEEPER_") else f"BEEPER_WEB__{key.upper()}": value
            for key, value in settings.items()
        }
        self.service = start(
            "web", *replica, **{"BEEPER_WEB__PORT": str(self.port)} | UNHURRIED | variables
        )
        wait_until(self._well, "web and the broker work")

    def _well(self) -> bool:
        assert self.service.process.poll() is None, self.service.log()
        with contextlib.suppress(OSError):
            return self.get("/healthz").status == 200
        return False

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        connection = http.client.HTTPConnection(self.host, None, DEADLINE, self.source)
        with contextlib.closing(connection):
            connection.request(
                method, path, headers={k.replace("_", "-"): headers[k] for k in headers}
            )
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def post(self, path: str, body: object, **headers: str) -> Answer:
        """Send JSON."""
        connection = http.client.HTTPConnection(self.host, None, DEADLINE, self.source)
        with contextlib.closing(connection):
            connection.request(
                "POST", path, json.dumps(body), {k.replace("_", "-"): headers[k] for k in headers}
            )
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def count(self, metric: str) -> float:
        """A value of /metrics; 0 when it is not there."""
        text = self.get("/metrics").body.decode()
        found = re.search(rf"^{re.escape(metric)} (\S+)$", text, re.M)
        return float(found[1]) if found else 0.0

    def knows(self, camera: str) -> None:
        """Wait until a camera has both headers."""
        wait_until(
            lambda: any(
                c["name"] == camera and len(c["tracks"]) == 2
                for c in self.get("/api/cameras").json()["cameras"]
            ),
            f"web knows {camera}",
        )

    def socket(self, path: str, **options: Any) -> ClientConnection:
        url = f"ws://{self.host}/{path}"
        socket: ClientConnection = connect(url, **{"compression": None, **options})
        return socket


class Frame(NamedTuple):
    header: FragmentHeader
    at: float

    @property
    def age(self) -> float:
        return self.at - self.header.capture


def messages(socket: ClientConnection, seconds: float = DEADLINE) -> Iterator[Any]:
    """Whatever comes: parsed JSON, `bytes` of a header, or a Frame; until the end or in time."""
    end = time.monotonic() + seconds
    with contextlib.suppress(TimeoutError, ConnectionClosed):
        while (left := end - time.monotonic()) > 0:
            data = socket.recv(timeout=left)
            if isinstance(data, str):
                yield json.loads(data)
            elif data[4:8] == b"ftyp":
                yield data
            else:
                yield Frame(FragmentHeader.parse(data), time.time())


def frames(socket: ClientConnection, seconds: float, ack: bool = True) -> list[Frame]:
    """The video frames of some time, each acknowledged."""
    found = []
    for message in messages(socket, seconds):
        if isinstance(message, Frame) and message.header.track_id == VIDEO_TRACK:
            found.append(message)
            if ack:
                socket.send(json.dumps({"type": "ack", "seq": message.header.seq}))
    return found


def gaps(found: list[Frame]) -> list[Frame]:
    """The frames before which some are missing."""
    return [
        after
        for before, after in itertools.pairwise(found)
        if after.header.seq != before.header.seq + 1
    ]


def close_of(socket: ClientConnection) -> tuple[int, str]:
    """Code and reason with which the server closes."""
    for _ in messages(socket):
        pass
    assert socket.close_code is not None, "the server did not close"
    return socket.close_code, socket.close_reason or ""


def client_frame(opcode: int, payload: bytes) -> bytes:
    """A short masked frame (RFC 6455 §5.2) for tests that speak raw."""
    assert len(payload) < 126
    mask = b"\1\2\3\4"
    masked = bytes(byte ^ mask[i & 3] for i, byte in enumerate(payload))
    return struct.pack(">BB", 0x80 | opcode, 0x80 | len(payload)) + mask + masked
