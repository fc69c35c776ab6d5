"""When a sign-in ends: within one boot by a clock that nobody can set, else by the wall clock.

A jump of the wall clock signs nobody out and revives nothing. Across boots the time counts that it
is at least (`WallClock.least`), so what has expired may come back for an hour at most.
"""

import math
from collections.abc import Mapping
from typing import Any

import jwt
from bus import wall_clock
from bus.kernel_clock import boot_id, boottime

BOOT, UP = "boot", "up"
"""Claims of our own: the boot in which the token was made, and when it ends in seconds since."""


def now() -> float:
    """Unix time (s) against which what expires is held."""
    return wall_clock.CLOCK.least()


def claims(expires: float) -> dict[str, Any]:
    """What a token of ours says of its end, given by `now` (Unix s)."""
    return {"exp": expires, BOOT: boot_id(), UP: boottime() + expires - now()}


def ends(token: Mapping[str, Any]) -> float:
    """When a token of ours ends (Unix s by `now`)."""
    boot, up = token.get(BOOT), token.get(UP)
    if boot and boot == boot_id() and isinstance(up, int | float):
        return now() + up - boottime()
    return float(token["exp"])


def check(token: Mapping[str, Any], leeway: float) -> None:
    """Hold the times of somebody else's token against this station's clock.

    Raises jwt.InvalidTokenError, in words; with those for the clock while it is known to be wrong.
    """
    wall = wall_clock.now()
    expires, issued, begins = (seconds(token.get(name, 0)) for name in ("exp", "iat", "nbf"))
    if expires <= wall - leeway:
        why = "it has expired"
    elif max(issued, begins) > wall + leeway:
        why = "it is not valid yet"
    else:
        return
    trouble = wall_clock.CLOCK.problem()
    raise jwt.InvalidTokenError(f"{why}; {trouble}" if trouble else why)


def seconds(value: object) -> float:
    """A time of a token (RFC 7519, NumericDate); raises jwt.InvalidTokenError for what is none."""
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    raise jwt.InvalidTokenError("its times are no numbers")
