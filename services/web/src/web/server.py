"""uvicorn inside the life of a service: it takes no signals, and ends when it is told to."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Generator

import uvicorn
from starlette.types import ASGIApp

from .settings import Web
from .wire import MAX_MESSAGE, Wire

GOODBYE = 1
"""Seconds that open requests have when the service ends."""


class Server(uvicorn.Server):
    """The signals belong to the service."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def make_server(app: ASGIApp, web: Web) -> Server:
    """The server of the application; compression of WebSockets is refused."""
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    config = uvicorn.Config(
        app,
        http="httptools",
        ws=Wire,
        ws_max_size=MAX_MESSAGE,
        ws_per_message_deflate=False,
        ws_ping_interval=web.ping,
        ws_ping_timeout=web.ping,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GOODBYE,
    )
    return Server(config)


async def serve(server: Server, listener: socket.socket) -> None:
    """Serve until cancelled; then let the connections end in order."""
    serving = asyncio.create_task(server.serve([listener]))
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await serving
