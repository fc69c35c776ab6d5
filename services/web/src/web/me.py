"""Who the station takes the asker for, and how to become somebody else."""

from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import RedirectResponse
from starlette.requests import Request

from .identities import CHALLENGE, Identities
from .identity import Who, how_to_become_operator

router = APIRouter(tags=["people"])


@router.get("/api/me")
async def me(identity: Who, request: Request) -> dict[str, Any]:
    """Name and rights of whoever asks, how they were found out, and how to become operator.

    `sign_in` is the address at which a password is asked for; null where there are none.
    """
    identities: Identities = request.app.state.identities
    return {
        "name": identity.name,
        "operator": identity.operator,
        "way": identity.way,
        "expires": identity.expires,
        "sign_in": "login" if identities.has_users and identity.way == "network" else None,
        "become_operator": None if identity.operator else how_to_become_operator(identity),
    }


@router.get("/login", include_in_schema=False)
async def login(identity: Who, request: Request) -> RedirectResponse:
    """Ask a viewer of the network at home for a password, then show the page."""
    identities: Identities = request.app.state.identities
    if identity.way == "network" and identities.has_users:
        raise HTTPException(401, "sign in with name and password", headers=CHALLENGE)
    return RedirectResponse("./", 303)
