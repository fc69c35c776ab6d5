"""The page and its files."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from .station import Here

FILES = Path(__file__).parent / "static"

router = APIRouter(include_in_schema=False)


@router.get("/")
async def page(station: Here) -> FileResponse:
    """The page; whoever asks for it is about to watch."""
    station.hub.warm()
    return FileResponse(FILES / "index.html", headers={"Cache-Control": "no-store"})


class Files(StaticFiles):
    """Files that a browser may keep, but asks about each time (ETag)."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response
