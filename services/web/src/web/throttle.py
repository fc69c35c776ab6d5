"""The first thing that a request meets: who asks, and whether that has been refused too often."""

from fastapi import HTTPException
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .client import SCOPE, person_of, resolve, within
from .identities import Identities
from .mediamtx_auth import ROUTE
from .refusals import Refusals
from .settings import Settings

COUNTED = frozenset(range(400, 429)) | {431}
"""Statuses of refused requests; 429 itself takes nothing, so that waiting helps."""


class Throttle:
    """Finds the client out and answers 429 to an address that was refused too often.

    Whoever a token, a proxy or a cookie vouches for goes on: a school has one address.
    """

    def __init__(
        self, app: ASGIApp, settings: Settings, identities: Identities, refusals: Refusals
    ) -> None:
        self._app = app
        self._access = settings.access
        self._servers = settings.mediamtx.servers
        self._identities = identities
        self._refusals = refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        peer: str = scope["client"][0]
        try:
            client = resolve(peer, Headers(scope=scope), self._access)
        except HTTPException as refusal:
            # Not under the address itself: that of a proxy stands for many.
            await self._refuse(refusal, f"{peer} with wrong headers", scope, receive, send)
            return
        scope[SCOPE] = client
        if scope["path"].endswith(ROUTE) and within(client.address, self._servers):
            await self._app(scope, receive, send)
            return
        who = person_of(client.address)
        try:
            self._refusals.check(who)
        except HTTPException as refusal:
            if not await self._identities.recognises(HTTPConnection(scope)):
                await answer(refusal, scope, receive, send)
                return
        await self._app(scope, receive, self._counting(who, scope, send))

    async def _refuse(
        self, refusal: HTTPException, who: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        try:
            self._refusals.check(who)
            self._refusals.count(who, f"{refusal.status_code} {refusal.detail}")
        except HTTPException as too_often:
            refusal = too_often
        await answer(refusal, scope, receive, send)

    def _counting(self, who: str, scope: Scope, send: Send) -> Send:
        accepted = False

        async def counting(message: Message) -> None:
            nonlocal accepted
            kind = message["type"]
            status = message.get("status", 0)
            accepted = accepted or kind == "websocket.accept"
            if kind == "websocket.close" and not accepted:
                status = 403
            if status in COUNTED:
                self._refusals.count(who, f"{status} {scope['path'][:100]!r}")
            await send(message)

        return counting


async def answer(refusal: HTTPException, scope: Scope, receive: Receive, send: Send) -> None:
    """A refusal as JSON; of a WebSocket's handshake too."""
    response = JSONResponse({"detail": refusal.detail}, refusal.status_code, refusal.headers)
    await response(scope, receive, send)
