"""What strangers do with WebSockets and WebRTC offers, each bounded in number and time.

Every attack answers with a count of what became of its connections: the close code of each socket,
or the status of its first answer.
"""

import asyncio
import contextlib
import http.client
import socket
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from aiortc import RTCPeerConnection
from socket_floods import FLOODS, flood, opened

Attack = Callable[[int], Awaitable[Counter[str]]]
"""An attack on a port of this machine."""
AT_ONCE = 6
HOLD = 5.0
"""Seconds for which sockets are held that say nothing."""


async def floods(port: int, name: str) -> Counter[str]:
    """Some sockets that flood at the same time, until each is ended."""
    return await together(partial(flooded, port, name) for _ in range(AT_ONCE))


def flooded(port: int, name: str) -> str:
    """How one of them ends."""
    try:
        end = flood(port, name)
        return str(end.code or end.reason or "cut off")
    except TimeoutError:
        return "never ended"
    except OSError:
        return "refused"


async def crowd(port: int, path: str, count: int) -> Counter[str]:
    """Sockets of one address that only take places."""
    found: Counter[str] = Counter()
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            line, answer = await asyncio.to_thread(opened, port, path)
            stack.enter_context(line)
            found[answer.decode().split(" ")[1]] += 1
        await asyncio.sleep(HOLD)
    return found


async def offers(port: int, count: int) -> Counter[str]:
    """Offers of one address that are never completed."""
    peer = RTCPeerConnection()
    peer.addTransceiver("video", direction="recvonly")
    await peer.setLocalDescription(await peer.createOffer())
    sdp = peer.localDescription.sdp
    await peer.close()
    return await together(partial(offered, port, sdp) for _ in range(count))


async def sections(port: int, count: int) -> Counter[str]:
    """Offers of 1,900 m-lines each."""
    sdp = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
    sdp += "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n" * 1900
    return await together(partial(offered, port, sdp) for _ in range(count))


def offered(port: int, sdp: str) -> str:
    """The status of one offer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        try:
            headers = {"Content-Type": "application/sdp"}
            connection.request("POST", "/csi_camera/whep", sdp, headers)
            return str(connection.getresponse().status)
        except (OSError, http.client.HTTPException):
            return "refused"


async def left(port: int, count: int) -> Counter[str]:
    """Viewers that watch without reading, and break off."""

    def leave() -> str:
        line, answer = opened(port, "/live/csi")
        threading.Event().wait(0.5)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        line.close()
        return answer.decode().split(" ")[1]

    return await together(leave for _ in range(count))


async def together(parts: Iterable[Callable[[], str]]) -> Counter[str]:
    """Run all at once, each in a thread."""
    return Counter(await asyncio.gather(*(asyncio.to_thread(part) for part in parts)))


ATTACKS: dict[str, Attack] = {
    **{f"a flood of {name}": partial(floods, name=name) for name in FLOODS},
    "1,000 pages of one address": partial(crowd, path="/events", count=1000),
    "1,000 viewers of one address": partial(crowd, path="/live/csi", count=1000),
    "100 offers that are never completed": partial(offers, count=100),
    "offers of 1,900 m-lines": partial(sections, count=20),
    "viewers that break off": partial(left, count=20),
}
"""By name, for `benchmarks/hostile_clients.py`."""
