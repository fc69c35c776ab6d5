"""Who asks, and what that allows: the parameters by which every route knows."""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Depends, HTTPException
from starlette.requests import HTTPConnection

from . import expiry

SCOPE = "beeper.identity"
"""Where the answer stands in an ASGI scope."""

Way = Literal["access", "proxy", "password", "network"]


@dataclass(frozen=True, slots=True)
class Identity:
    """A person, or a device of the network at home."""

    name: str
    """For people to read; the e-mail's part before the @, or `local-<address>`."""
    subject: str
    """What tells two of the same name apart: the whole e-mail address where there is one."""
    way: Way
    operator: bool
    expires: float | None = None
    """Unix time at which this ends; None = with the request or connection."""
    mark: str = ""
    """What changes with the user's password; empty where there is none."""
    session: str = ""
    """The sign-in with a password: what signing out ends."""
    credential: str = ""
    """A keyed digest of the password that was verified, so that it is not verified each time."""

    @property
    def left(self) -> float:
        """Seconds until this ends, 0 when it has; infinite when it does with the connection."""
        return math.inf if self.expires is None else max(0, self.expires - expiry.now())


Identify = Callable[[HTTPConnection], Awaitable[Identity]]
"""Raises HTTPException with words: 401 when a password would help, else 403."""


async def who(connection: HTTPConnection) -> Identity:
    """Whoever may watch; 401 or 403 for everybody else, before a WebSocket is accepted too."""
    known: Identity | None = connection.scope.get(SCOPE)
    if known is None:
        identify: Identify = connection.app.state.identify
        known = connection.scope[SCOPE] = await identify(connection)
    return known


Who = Annotated[Identity, Depends(who)]
"""A parameter of a route or WebSocket: whoever may watch."""


async def maybe(connection: HTTPConnection) -> Identity | None:
    """Who it is, if anybody who may watch."""
    try:
        return await who(connection)
    except HTTPException:
        return None


Maybe = Annotated[Identity | None, Depends(maybe)]
"""A parameter of an open route: whoever may watch, None for everybody else."""


async def operator(identity: Who) -> Identity:
    """Whoever may move the motor and delete things; 403 for everybody else."""
    if not identity.operator:
        raise HTTPException(403, how_to_become_operator(identity))
    return identity


Operator = Annotated[Identity, Depends(operator)]
"""A parameter of a route or WebSocket: whoever may move the motor and delete things."""


def how_to_become_operator(identity: Identity) -> str:
    """One sentence for somebody who is none."""
    return (
        f"only operators may do this; to make {identity.name} one, "
        f'add "{identity.subject}" to access.operators in beeper.toml'
    )
