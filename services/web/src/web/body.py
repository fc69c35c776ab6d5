"""JSON that somebody sends: read up to a limit, checked, and refused in words."""

from typing import Any, TypeVar

from bus.inbox import summary
from fastapi import HTTPException, Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

MOST = 16_384
"""Bytes of a body."""

M = TypeVar("M", bound=BaseModel)


async def collect(request: Request, most: int) -> bytes:
    """The whole body; raises HTTPException 413 beyond `most` bytes, 400 when it breaks off."""
    data = bytearray()
    try:
        async for part in request.stream():
            data += part
            if len(data) > most:
                raise HTTPException(413, f"too long: at most {most} bytes are read")
    except ClientDisconnect:
        raise HTTPException(400, "the body ended before its end") from None
    return bytes(data)


async def read(request: Request, model: type[M]) -> M:
    """The body as its model; an empty one as its defaults. Raises HTTPException 400 or 413."""
    data = await collect(request, MOST)
    try:
        return model.model_validate_json(data or b"{}")
    except ValidationError as error:
        raise HTTPException(400, f"not what is expected here: {summary(error)}") from None


def described(model: type[BaseModel]) -> dict[str, Any]:
    """What OpenAPI is told of a body that is read by hand."""
    return {"requestBody": {"content": {"application/json": {"schema": model.model_json_schema()}}}}
