"""The page and its files, in memory: a browser asks for all of them before its first picture."""

import hashlib
import mimetypes
from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response

from .station import Here

FOLDER = Path(__file__).parent / "static"

router = APIRouter(include_in_schema=False)


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


@router.api_route("/", methods=["GET", "HEAD"])
async def page(station: Here) -> Response:
    """The page; whoever asks for it is about to watch."""
    station.hub.warm()
    index = FILES["index.html"]
    return Response(
        index.content, media_type=index.media_type, headers={"Cache-Control": "no-store"}
    )


@router.api_route("/static/{name}", methods=["GET", "HEAD"])
async def file(name: str, request: Request) -> Response:
    """A file that a browser may keep, but asks about each time (ETag)."""
    if (found := FILES.get(name)) is None:
        raise HTTPException(404, f"there is no file {name}")
    headers = {"Cache-Control": "no-cache", "ETag": found.etag}
    if found.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(found.content, media_type=found.media_type, headers=headers)
