"""The page and its files, in memory: a browser asks for all of them before its first picture."""

import gzip
import hashlib
import mimetypes
from functools import cache
from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response

from .answers import Shared
from .station import Here

FOLDER = Path(__file__).parent / "static"
PACKAGES = Path(__file__).parents[2] / "node_modules"
VENDOR = {
    "hls.mjs": "hls.js/dist/hls.min.mjs",
    "livekit.mjs": "livekit-client/dist/livekit-client.esm.mjs",
    "uplot.mjs": "uplot/dist/uPlot.esm.js",
    "uplot.css": "uplot/dist/uPlot.min.css",
}
"""What the page loads from npm (package.json), only where it is needed."""

router = APIRouter(include_in_schema=False)
files = APIRouter(include_in_schema=False)


class File(NamedTuple):
    """One file as it is sent."""

    content: bytes
    media_type: str
    etag: str


def read(path: Path) -> File:
    """A file with its type and a tag that changes with its content."""
    content = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return File(content, kind, f'"{hashlib.sha256(content).hexdigest()[:16]}"')


FILES = {path.name: read(path) for path in FOLDER.iterdir() if path.is_file()}
FILES |= {
    f"vendor/{name}": read(path)
    for name, path in ((name, PACKAGES / path) for name, path in VENDOR.items())
    if path.is_file()
}


@cache
def packed(name: str) -> bytes:
    """A library for a slow network, a third of its size; made when it is asked for first."""
    return gzip.compress(FILES[name].content)


@router.get("/")
async def page(station: Here) -> Response:
    """The page; whoever asks for it is about to watch."""
    station.hub.warm()
    index = FILES["index.html"]
    return Shared([index.content], index.media_type, {"Cache-Control": "no-store"})


@files.get("/static/{name:path}")
async def file(name: str, request: Request) -> Response:
    """A file that a browser may keep, but asks about each time (ETag)."""
    if (found := FILES.get(name)) is None:
        raise HTTPException(404, missing(name))
    headers = {"Cache-Control": "no-cache", "ETag": found.etag}
    content = found.content
    if name.startswith("vendor/"):
        headers["Vary"] = "Accept-Encoding"
        if "gzip" in request.headers.get("accept-encoding", ""):
            # Each encoding is a representation of its own: RFC 9110 §8.8.3.3.
            content = packed(name)
            headers |= {"Content-Encoding": "gzip", "ETag": found.etag[:-1] + '-gzip"'}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        headers.pop("Content-Encoding", None)
        return Response(status_code=304, headers=headers)
    return Shared([content], found.media_type, headers)


def missing(name: str) -> str:
    """Why there is no such file, and what to do about it."""
    if name.removeprefix("vendor/") in VENDOR:
        return "this library is not installed on the station: install npm there, then call make"
    return f"there is no file {name[:64]!r}"
