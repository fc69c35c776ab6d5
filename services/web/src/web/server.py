"""uvicorn inside the life of a service: it takes no signals, and ends when it is told to."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Generator
from functools import partial
from typing import cast

import uvicorn
from starlette.types import ASGIApp

from .acceptor import Acceptor
from .connections import Connections
from .http_protocol import Http
from .refusals import Refusals
from .settings import Settings
from .turns import Turns
from .wire import MAX_MESSAGE, Wire

GOODBYE = 1
"""Seconds that open requests have when the service ends."""

Report = Callable[[str | None], None]
"""Is told what keeps connections out; None when nothing does any more."""


class Server(uvicorn.Server):
    """The signals belong to the service, and connections are taken by the acceptor."""

    def __init__(
        self,
        config: uvicorn.Config,
        settings: Settings,
        refusals: Refusals,
        ceiling: int,
        report: Report,
    ) -> None:
        super().__init__(config)
        self._settings = settings
        self._refusals = refusals
        self._ceiling = ceiling
        self._report = report
        self.connections = Connections(settings.web, ceiling)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self.lifespan.startup()
        acceptors = [
            Acceptor(listener, self._protocol, self.connections, self._ceiling, self._report)
            for listener in sockets or ()
        ]
        self.servers = cast(list[asyncio.Server], acceptors)
        self.started = True

    def _protocol(self) -> Http:
        web, proxies = self._settings.web, self._settings.access.proxies
        return Http(self.config, self.server_state, web, proxies, self.connections, self._refusals)


def make_server(
    app: ASGIApp, settings: Settings, refusals: Refusals, ceiling: int, report: Report
) -> Server:
    """The server of the application; compression of WebSockets is refused.

    From the descriptor `ceiling` on nobody gets a connection, and `report` hears of it.
    """
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    web = settings.web
    sockets = partial(Wire, turns=Turns(web.socket_rate, web.socket_burst))
    config = uvicorn.Config(
        app,
        http="httptools",
        ws=cast(type[asyncio.Protocol], sockets),
        ws_max_size=MAX_MESSAGE,
        ws_per_message_deflate=False,
        ws_ping_interval=web.ping,
        ws_ping_timeout=web.ping,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=web.keep_alive,
        timeout_graceful_shutdown=GOODBYE,
    )
    return Server(config, settings, refusals, ceiling, report)


async def serve(server: Server, listener: socket.socket) -> None:
    """Serve until cancelled; then let the connections end in order."""
    serving = asyncio.create_task(server.serve([listener]))
    watching = asyncio.create_task(server.connections.run())
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await serving
        watching.cancel()
