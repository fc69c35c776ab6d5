"""HEAD wherever GET is: RFC 9110 §9.3.2."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadRequests:
    """Answers HEAD as GET would be, without the content; a stream ends after its headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        head = scope["method"] == "HEAD"

        async def without_content(message: Message) -> None:
            begins = message["type"] == "http.response.start"
            if begins and message["status"] == 405:
                allow_head(message)
            if begins or not head:
                await send(message)
            if begins and head:
                await send({"type": "http.response.body", "body": b""})

        asked = {**scope, "method": "GET"} if head else scope
        await self._app(asked, receive, without_content)


def allow_head(message: Message) -> None:
    """Name HEAD beside GET in `Allow`."""
    headers = MutableHeaders(scope=message)
    allowed = [method.strip() for method in headers.get("allow", "").split(",")]
    if "GET" in allowed and "HEAD" not in allowed:
        headers["Allow"] = ", ".join([*allowed, "HEAD"])
