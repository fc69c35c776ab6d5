"""What every answer carries: nothing of another origin runs in the page or frames it."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' blob: data:",
    "media-src": "'self' blob:",
    "connect-src": "'self' ws: wss:",
    "worker-src": "'self' blob:",
    "font-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
HEADERS = {
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in POLICY.items()),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
ISOLATED = {"Cross-Origin-Opener-Policy": "same-origin"}
"""For trustworthy origins; everywhere else a browser ignores it, and says so as an error."""
LOCAL = ("localhost", "127.0.0.1", "[::1]")


class SecurityHeaders:
    """Adds the headers to every HTTP answer, errors and refused handshakes included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wanted = HEADERS | ISOLATED if trustworthy(scope) else HEADERS

        async def with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(scope=message)
                for name, value in wanted.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


def trustworthy(scope: Scope) -> bool:
    """Whether the page's origin is one for a browser (W3C Secure Contexts, §3.1)."""
    if scope["type"] != "http":
        return False
    headers = Headers(scope=scope)
    host = headers.get("host", "")
    local = host in LOCAL or host.rpartition(":")[0] in LOCAL
    return local or "https" in (scope["scheme"], headers.get("x-forwarded-proto"))
