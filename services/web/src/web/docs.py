"""The list of routes as a page, made from the OpenAPI description; nothing comes from elsewhere."""

import json
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from .answers import Shared

router = APIRouter(include_in_schema=False)

SOCKETS = (
    ("events", "WebSocket, JSON: readings, states, people and what they say, as they change"),
    ("live/{camera}", "WebSocket, CMAF: one binary message a frame, from the last key frame on"),
)


@router.get("/openapi.json")
async def openapi(request: Request) -> Response:
    """The description of every route, for programs."""
    state = request.app.state
    if not hasattr(state, "description"):
        state.description = json.dumps(request.app.openapi()).encode()
    return Shared([state.description], "application/json", {})


@router.get("/docs", response_class=HTMLResponse)
async def docs(request: Request) -> HTMLResponse:
    """Every route with its parameters and what it answers."""
    api: dict[str, Any] = request.app.openapi()
    routes = [
        section(f"{method.upper()} {path}", about.get("description", ""), about)
        for path, methods in sorted(api["paths"].items())
        for method, about in methods.items()
    ]
    routes += [section(f"GET /{path}", about, {}) for path, about in SOCKETS]
    title = escape(api["info"]["title"])
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        '<link rel="stylesheet" href="static/style.css">'
        f'<main><h1>{title}</h1><p><a href="openapi.json">openapi.json</a></p>'
        f"{''.join(routes)}</main></html>"
    )


def section(name: str, text: str, about: dict[str, Any]) -> str:
    """One route."""
    names = [parameter["name"] for parameter in about.get("parameters", [])]
    query = f"<p>Query: <code>{escape(', '.join(names))}</code></p>" if names else ""
    return f"<h2><code>{escape(name)}</code></h2><p>{escape(text)}</p>{query}"
