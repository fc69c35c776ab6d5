"""What every answer carries: nothing of another origin runs in the page or frames it."""

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' blob: data:",
    "media-src": "'self' blob:",
    "worker-src": "'self' blob:",
    "font-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
FIXED = "; ".join(f"{name} {value}" for name, value in POLICY.items())
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
ISOLATED = {"Cross-Origin-Opener-Policy": "same-origin"}
"""For trustworthy origins; everywhere else a browser ignores it, and says so as an error."""
EMBEDDED = re.compile(r"(/stations/[^/]+)?/(camera|[^/]+_camera)/[^/]")
"""Pictures, which pages of `web.origins` may embed without asking by CORS."""
HOST = re.compile(r"[A-Za-z0-9.-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")
LOCAL = ("localhost", "127.0.0.1", "[::1]")


class SecurityHeaders:
    """Adds the headers to every HTTP answer, errors and refused handshakes included."""

    def __init__(self, app: ASGIApp, livekit: str, embedded: bool = False) -> None:
        """`embedded`: whether pages of other origins show our pictures."""
        self._app = app
        self._embedded = embedded
        self._elsewhere = origins(livekit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wanted = HEADERS | ISOLATED if trustworthy(scope) else HEADERS
        shown = self._embedded and EMBEDDED.match(scope["path"])
        wanted = wanted | {
            "Content-Security-Policy": policy(scope, self._elsewhere),
            "Cross-Origin-Resource-Policy": "cross-origin" if shown else "same-site",
        }

        async def with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(scope=message)
                for name, value in wanted.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)


def policy(scope: Scope, elsewhere: str) -> str:
    """The content security policy; the page connects to where it comes from, and to `elsewhere`.

    Safari below 15.4 does not take a WebSocket for 'self', so the host is named too.
    """
    host = Headers(scope=scope).get("host", "") if scope["type"] == "http" else ""
    here = f" ws://{host} wss://{host}" if HOST.fullmatch(host) else ""
    return f"{FIXED}; connect-src 'self'{here}{elsewhere}"


def origins(livekit: str) -> str:
    """What the page asks of LiveKit: its WebSocket, and over HTTP why that one was refused."""
    if not livekit:
        return ""
    parts = urlsplit(livekit)
    http = "https" if parts.scheme == "wss" else "http"
    return f" {parts.scheme}://{parts.netloc} {http}://{parts.netloc}"


def trustworthy(scope: Scope) -> bool:
    """Whether the page's origin is one for a browser (W3C Secure Contexts, §3.1)."""
    headers = Headers(scope=scope)
    host = headers.get("host", "")
    local = host in LOCAL or host.rpartition(":")[0] in LOCAL
    return local or is_https(scope)


def is_https(scope: Scope) -> bool:
    """Whether the browser came by TLS, to this service or to the trusted proxy before it."""
    schemes = (scope["scheme"], Headers(scope=scope).get("x-forwarded-proto"))
    return bool({"https", "wss"}.intersection(schemes))
