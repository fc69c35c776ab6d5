"""Many WebSocket viewers in one process, as the network sees browsers."""

import asyncio
import base64
import json
import secrets
import struct
import time
from multiprocessing.connection import Connection
from typing import cast

NTP_UNIX = 2_208_988_800
HANDSHAKE = (
    "GET /live/bench HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nPragma: no-cache\r\n"
    "Cache-Control: no-cache\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\n"
    "Upgrade: websocket\r\nOrigin: http://{host}\r\nSec-WebSocket-Version: 13\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n"
    "Sec-WebSocket-Key: {key}\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
)


class Viewer(asyncio.Protocol):
    """A browser as the network sees it."""

    def __init__(self, load: "WebsocketLoad") -> None:
        self.load = load
        self.rest = b""
        self.shaken = False
        self.seq: int | None = None
        self.acked: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        self.transport.write(HANDSHAKE.format(host=self.load.host, key=key).encode())

    def data_received(self, data: bytes) -> None:
        data = self.rest + data
        if not self.shaken:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self.rest = head
                return
            assert b" 101 " in head.splitlines()[0], head
            assert b"permessage-deflate" not in head, "media must not be compressed"
            self.shaken = True
        self.rest = data[self.frames(data) :]

    def frames(self, data: bytes) -> int:
        """Take every whole frame; where the rest begins."""
        place, end = 0, len(data)
        while end - place >= 2:
            length, start = data[place + 1], place + 2
            if length > 125:
                size = 2 if length == 126 else 8
                start += size
                length = int.from_bytes(data[start - size : start], "big")
            if end < start + length:
                break
            if data[place] == 0x82 and data[start + 4 : start + 8] == b"prft":
                self.frame(data, start)
            place = start + length
        return place

    def frame(self, data: bytes, start: int) -> None:
        ntp, self.seq = (
            struct.unpack_from(">Q36xI", data, start + 16)[0],
            int.from_bytes(data[start + 52 : start + 56], "big"),
        )
        self.load.received(ntp / (1 << 32) - NTP_UNIX)

    def acknowledge(self) -> None:
        if self.seq is not None and self.seq != self.acked:
            self.acked = self.seq
            text = json.dumps({"type": "ack", "seq": self.seq}).encode()
            mask = secrets.token_bytes(4)
            masked = bytes(byte ^ mask[i & 3] for i, byte in enumerate(text))
            self.transport.write(bytes((0x81, 0x80 | len(text))) + mask + masked)

    def connection_lost(self, exc: Exception | None) -> None:
        self.load.lost += 1


class WebsocketLoad:
    """All viewers of one process."""

    def __init__(self, port: int, count: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self.port = port
        self.count = count
        self.lost = 0
        self.frames = 0
        self.ages: list[float] = []
        self.measuring = False

    def received(self, captured: float) -> None:
        if self.measuring:
            self.frames += 1
            if self.frames % 7 == 0:
                self.ages.append(time.time() - captured)

    async def run(self, pipe: Connection, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        viewers = []
        for number in range(self.count):
            _, viewer = await loop.create_connection(lambda: Viewer(self), "127.0.0.1", self.port)
            viewers.append(viewer)
            if number % 10 == 0:
                await asyncio.sleep(0.02)
        acks = asyncio.create_task(self.acknowledge(viewers))
        await asyncio.sleep(3)
        self.measuring = True
        pipe.send("go")
        await asyncio.sleep(seconds)
        self.measuring = False
        pipe.send((self.frames, self.lost, sorted(self.ages)))
        acks.cancel()
        await asyncio.to_thread(pipe.recv)

    async def acknowledge(self, viewers: list[Viewer]) -> None:
        """Each viewer every 100 ms, spread over that time."""
        parts = 20
        while True:
            for part in range(parts):
                began = time.monotonic()
                for viewer in viewers[part::parts]:
                    viewer.acknowledge()
                await asyncio.sleep(max(0, 0.1 / parts - (time.monotonic() - began)))
