"""Who the station takes the asker for, and how to become somebody else."""

from typing import Any

from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import RedirectResponse
from starlette.requests import Request

from .headers import is_https
from .identities import COOKIE, Identities, challenge
from .identity import Identity, Maybe, Who, how_to_become_operator
from .session import NAME, SIGNED_OUT, cookie

ACCESS_LOGOUT = "/cdn-cgi/access/logout"
"""Where Cloudflare Access ends its session (Cloudflare One, "Session management")."""

router = APIRouter(tags=["people"])
leaving = APIRouter(tags=["people"])
"""Apart, since whoever is nobody any more may leave too."""


@router.get("/api/me")
async def me(identity: Who, request: Request) -> dict[str, Any]:
    """Name and rights of whoever asks, how they were found out, and how to become operator.

    `sign_in` is the address at which a password is asked for; null where there are none.
    `sign_out` is where to go to be nobody again: `api/sign-out` by POST, else a page of Cloudflare
    Access; null where nobody has signed in, or a proxy says who has.
    """
    identities: Identities = request.app.state.identities
    return {
        "name": identity.name,
        "operator": identity.operator,
        "way": identity.way,
        "expires": identity.expires,
        "sign_in": "login" if identities.has_users and identity.way == "network" else None,
        "sign_out": way_out(identity),
        "become_operator": None if identity.operator else how_to_become_operator(identity),
    }


@leaving.post("/api/sign-out")
async def sign_out(identity: Maybe, request: Request, response: Response) -> dict[str, Any]:
    """End a sign-in with a password: its cookie, and what it has opened in any tab or program.

    A browser that sends the password by itself is not believed until it has asked for it anew.
    `sign_out` is where the rest has to be done, by a page of Cloudflare Access; null when all is.
    """
    identities: Identities = request.app.state.identities
    if identity:
        identities.sign_out(identity)
    request.scope.pop(COOKIE, None)
    secure = is_https(request.scope)
    response.headers.append("Set-Cookie", cookie(NAME, "", secure, 0))
    if "authorization" in request.headers:
        response.headers.append("Set-Cookie", cookie(SIGNED_OUT, "1", secure))
    response.headers["Cache-Control"] = "no-store"
    elsewhere = identity and identity.way == "access"
    return {"status": "signed out", "sign_out": ACCESS_LOGOUT if elsewhere else None}


def way_out(identity: Identity) -> str | None:
    """Where somebody signs out; None when there is nothing to sign out of here."""
    return {"password": "api/sign-out", "access": ACCESS_LOGOUT}.get(identity.way)


@router.get("/login", include_in_schema=False)
async def login(identity: Who, request: Request) -> RedirectResponse:
    """Ask a viewer of the network at home for a password, then show the page."""
    identities: Identities = request.app.state.identities
    if identity.way == "network" and identities.has_users:
        raise HTTPException(401, "sign in with name and password", headers=challenge(request))
    return RedirectResponse("./", 303)
