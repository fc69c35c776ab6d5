"""Who may do what on MediaMTX: it asks here for each reader and publisher (authMethod http)."""

import hmac
import re
from typing import Literal

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from pydantic import BaseModel

from .client import Client, client_of, read_address, within
from .identities import Identities
from .mediamtx import USER, Mediamtx
from .station import Here

router = APIRouter(tags=["mediamtx"])

ROUTE = "/mediamtx/auth"
PATH = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}_camera")
DENIED = HTTPException(401, "MediaMTX lets nobody do that with these credentials")


class Question(BaseModel):
    """What MediaMTX sends (docs/usage/authentication); fields that it may add are ignored."""

    ip: str = ""
    user: str = ""
    password: str = ""
    action: Literal["publish", "read", "playback", "api", "metrics", "pprof"]
    path: str = ""


@router.post(ROUTE, status_code=204, response_class=Response)
async def judge(question: Question, request: Request, station: Here) -> None:
    """204 when the action is allowed, 401 or 403 when it is not; only MediaMTX may ask."""
    mediamtx = station.mediamtx
    client = client_of(request)
    if not client.known or not within(client.address, mediamtx.options.servers):
        raise HTTPException(403, f"{client.address} is not in mediamtx.servers of beeper.toml")
    if is_web(question, mediamtx):
        if question.action in ("api", "read"):
            return
        raise DENIED
    if question.action == "publish":
        check_publisher(question, mediamtx)
    elif question.action == "read":
        await check_reader(question, request.app.state.identities)
    else:
        raise DENIED


def is_web(question: Question, mediamtx: Mediamtx) -> bool:
    """Whether MediaMTX was asked by this service."""
    return question.user == USER and same(question.password, mediamtx.password)


def check_publisher(question: Question, mediamtx: Mediamtx) -> None:
    """Let the relays push cameras, and nobody else anything; raises HTTPException."""
    try:
        password = mediamtx.options.secret()
    except OSError as error:
        raise HTTPException(503, f"mediamtx.password_file: {error.strerror}") from None
    if not password:
        raise HTTPException(401, "nobody may publish before mediamtx.password_file is set")
    right = question.user == mediamtx.options.username and same(question.password, password)
    if not right or not PATH.fullmatch(question.path):
        raise DENIED


async def check_reader(question: Question, identities: Identities) -> None:
    """Let whoever may watch on the page watch there too; raises HTTPException."""
    try:
        client = Client(read_address(question.ip), True)
    except ValueError:
        raise HTTPException(400, "MediaMTX does not say for which address it asks") from None
    if question.user and identities.has_users:
        await identities.by_password(question.user, question.password, client)
    else:
        identities.by_network(client)


def same(given: str, right: str) -> bool:
    """Compare without telling by the time it takes how much is right."""
    return hmac.compare_digest(given.encode(), right.encode())
