"""A WHIP endpoint (RFC 9725): `python whip_peer.py <port> <file> [<bearer token>]`.

Writes the H.264 that it receives into the file, as it comes. Path: anything that ends with `/whip`.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

import aiortc.rtcrtpreceiver
from aiohttp import web
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.codecs import get_decoder
from aiortc.contrib.media import MediaBlackhole


class Recorder:
    """Stands where the decoder of H.264 would, and keeps what it is given."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("ab", buffering=0)

    def decode(self, encoded: Any) -> list[Any]:
        self._file.write(encoded.data)
        return []


class Endpoint:
    """Takes whoever offers."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._peers: dict[str, RTCPeerConnection] = {}

    async def offer(self, request: web.Request) -> web.Response:
        if self._token and request.headers.get("authorization") != f"Bearer {self._token}":
            return web.Response(status=401)
        if request.content_type != "application/sdp":
            return web.Response(status=415)
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        sink = MediaBlackhole()
        peer.on("track", sink.addTrack)
        await peer.setRemoteDescription(RTCSessionDescription(await request.text(), "offer"))
        await sink.start()
        await peer.setLocalDescription(await peer.createAnswer())
        name = str(len(self._peers))
        self._peers[name] = peer
        return web.Response(
            status=201,
            text=peer.localDescription.sdp,
            content_type="application/sdp",
            headers={"Location": f"{request.path}/{name}"},
        )

    async def end(self, request: web.Request) -> web.Response:
        await self._peers[request.match_info["name"]].close()
        return web.Response()


async def main(port: int, file: Path, token: str) -> None:
    recorder = Recorder(file)

    def decoder(codec: Any) -> Any:
        return recorder if codec.mimeType == "video/H264" else get_decoder(codec)

    aiortc.rtcrtpreceiver.get_decoder = decoder  # type: ignore[attr-defined]
    endpoint = Endpoint(token)
    application = web.Application()
    application.router.add_post("/{path:.*}/whip", endpoint.offer)
    application.router.add_delete("/{path:.*}/whip/{name}", endpoint.end)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]), (sys.argv[3:] or [""])[0]))
