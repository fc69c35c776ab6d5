"""What every request passes before any route, and what its answer takes along."""

from collections.abc import Collection
from urllib.parse import urlsplit

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .headers import is_https
from .identities import COOKIE, Identities

READING = ("GET", "HEAD", "OPTIONS")


class Edge:
    """Refuses the pages of other sites; sets the cookie of whoever has signed in."""

    def __init__(self, app: ASGIApp, origins: Collection[str], identities: Identities) -> None:
        self._app = app
        self._origins = origins
        self._identities = identities

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        changing = scope["type"] == "websocket" or scope["method"] not in READING
        if changing and not welcome(Headers(scope=scope), self._origins):
            words = "that comes from a page of another origin (web.origins)"
            await JSONResponse({"detail": words}, 403)(scope, receive, send)
            return
        await self._app(scope, receive, self._signing(scope, send))

    def _signing(self, scope: Scope, send: Send) -> Send:
        async def signing(message: Message) -> None:
            begins = message["type"] in ("http.response.start", "websocket.accept")
            if begins and (identity := scope.get(COOKIE)):
                cookie = self._identities.cookie(identity, is_https(scope))
                message.setdefault("headers", [])
                MutableHeaders(scope=message).append("Set-Cookie", cookie)
            await send(message)

        return signing


def welcome(headers: Headers, origins: Collection[str]) -> bool:
    """Whether a request comes from a page of this station, or from no page at all.

    A browser always names the page's origin and no script can change it; by which name a proxy was
    asked (`X-Forwarded-Host`) only a trusted one says.
    """
    origin = headers.get("origin")
    if origin is None or origin in origins:
        return True
    host = urlsplit(origin).netloc
    return bool(host) and host in (headers.get("host"), headers.get("x-forwarded-host"))
