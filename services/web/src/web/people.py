"""Who is watching and what they say, over HTTP; the page does the same over its WebSocket."""

import secrets
from typing import Annotated, Any

from bus import wall_clock
from bus.messages import ChatRefusal, ChatResult, Heartbeat, Viewer
from bus.messages.people import Identifier, MessageId, Presence
from fastapi import APIRouter, HTTPException, Request
from fastapi import Path as InPath
from pydantic import BaseModel, Field

from . import talk
from .body import described, read
from .identity import Operator, Who
from .station import Here

ACTIVE = 30.0
"""Seconds since the last heartbeat up to which a viewer counts as active, then as idle."""
CODES: dict[ChatRefusal, int] = {
    "empty": 400,
    "missing": 404,
    "taken": 409,
    "too_long": 413,
    "too_fast": 429,
    "unstored": 503,
    "busy": 503,
}
AWAY: dict[int | str, dict[str, Any]] = {503: {"description": "chat or the bus is not there"}}
BAD: dict[int | str, dict[str, Any]] = {
    400: {"description": "not JSON, or nothing to read in it"},
    413: {"description": "too long"},
}

router = APIRouter(tags=["people"])


class Beat(BaseModel):
    """One tab is open; `session` tells it from other tabs of the same person."""

    state: Presence = "viewing"
    session: Identifier = "default"


class Left(BaseModel):
    """One tab was closed."""

    session: Identifier = "default"


class Said(BaseModel):
    """`id`, a UUID, makes a repeat harmless; the speaker's name is not asked for."""

    message: str = Field(description="at most 500 characters after trimming")
    id: MessageId | None = None


@router.post("/api/heartbeat", openapi_extra=described(Beat), responses=AWAY | BAD)
async def heartbeat(request: Request, station: Here, who: Who) -> dict[str, Any]:
    """Somebody is watching, or has the page open without looking at it; to be said every 30 s."""
    beat = await read(request, Beat)
    await heard(station.talk, talk.heartbeat(who, beat.session, beat.state))
    return {"status": "ok", "username": talk.named(who), "server_time": wall_clock.now()}


@router.post("/api/user_left", openapi_extra=described(Left), responses=AWAY | BAD)
async def user_left(request: Request, station: Here, who: Who) -> dict[str, str]:
    """A tab was closed (sendBeacon); its person is gone when it was the last one."""
    left = await read(request, Left)
    await heard(station.talk, talk.heartbeat(who, left.session, "away", left=True))
    return {"status": "ok"}


@router.get("/api/active_users", responses=AWAY)
async def active_users(station: Here) -> dict[str, Any]:
    """Who is watching, as of the last roster (at most 10 s ago)."""
    if station.roster.viewers is None:
        raise HTTPException(503, "nothing has been heard of the chat service yet")
    users = [user(viewer, wall_clock.now()) for viewer in station.roster.viewers.values()]
    return {"users": users, "count": station.roster.count}


@router.post("/api/chat/send", openapi_extra=described(Said), responses=AWAY | BAD)
async def send(request: Request, station: Here, who: Who) -> dict[str, Any]:
    """Say something; the answer comes when it is on disk. 429 says how long to wait."""
    said = await read(request, Said)
    try:
        result = await station.talk.say(who, said.id or secrets.token_hex(16), said.message)
    except talk.AwayError as error:
        raise HTTPException(503, str(error)) from None
    check(result)
    message = result.said.message if result.said else None
    number = result.said.number if result.said else None
    return {
        "status": "sent",
        "username": talk.named(who),
        "message": message,
        "id": result.id,
        "number": number,
    }


@router.get("/api/chat/messages", responses=AWAY)
async def messages(station: Here) -> dict[str, Any]:
    """The last 50 messages, oldest first; `message` is text and never HTML."""
    if station.conversation.messages is None:
        raise HTTPException(503, "nothing has been heard of the chat service yet")
    said = [m.model_dump() | {"type": "user"} for m in station.conversation.messages.values()]
    return {"messages": said}


@router.delete(
    "/api/chat/messages/{id}",
    responses=AWAY | {403: {"description": "no operator"}, 404: {"description": "unknown"}},
)
async def delete(
    one: Annotated[MessageId, InPath(alias="id")], station: Here, who: Operator
) -> dict[str, str]:
    """Take a message back, for operators; doing so twice is no mistake."""
    try:
        check(await station.talk.delete(who, one))
    except talk.AwayError as error:
        raise HTTPException(503, str(error)) from None
    return {"status": "deleted", "id": one}


async def heard(to: talk.Talk, beat: Heartbeat) -> None:
    """Pass a heartbeat on; 503 when nobody hears it."""
    try:
        await to.beat(beat)
    except talk.AwayError as error:
        raise HTTPException(503, str(error)) from None


def check(result: ChatResult) -> None:
    """Raise what a refusal is in HTTP."""
    if result.accepted:
        return
    wait = result.wait_seconds
    headers = {"Retry-After": str(max(1, round(wait + 0.5)))} if wait is not None else None
    code = CODES[result.refusal] if result.refusal else 503
    raise HTTPException(code, result.reason or "refused", headers)


def user(viewer: Viewer, now: float) -> dict[str, Any]:
    """A viewer in the words of the predecessors' API."""
    seen = max(0.0, round(now - viewer.seen, 1))
    words = "away" if viewer.state == "away" else "active" if seen <= ACTIVE else "idle"
    return {
        "username": viewer.name,
        "status": words,
        "state": viewer.state,
        "since": viewer.since,
        "last_seen_seconds": seen,
    }
