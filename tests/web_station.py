"""A web process, and what its sockets say."""

import contextlib
import http.client
import itertools
import json
import re
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from conftest import DEADLINE, Service, free_port, wait_until
from media.cmaf import VIDEO_TRACK, FragmentHeader
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

UNHURRIED = {
    "BEEPER_ACCESS__RATE": "10000",
    "BEEPER_ACCESS__BURST": "100000",
    "BEEPER_ACCESS__REFUSED_BURST": "100000",
}
"""Tests ask more often than people, and for what they do not get."""


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


def frames(socket: ClientConnection, count: int, ack: bool = True) -> list[Frame]:
    """So many video frames, each acknowledged."""
    found: list[Frame] = []
    for message in messages(socket):
        if isinstance(message, Frame) and message.header.track_id == VIDEO_TRACK:
            found.append(message)
            if ack:
                socket.send(json.dumps({"type": "ack", "seq": message.header.seq}))
            if len(found) == count:
                return found
    raise AssertionError(f"only {len(found)} of {count} frames came")


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
