"""How many file descriptors the process may have, and how many viewers these are enough for."""

import resource

from .settings import Web

RESERVE = 64
"""Descriptors that no client gets: for the broker, files and name lookups."""
SHORT = 512
"""For connections that are no viewer's: a page's files, HLS players, those that are idle."""


def each(web: Web) -> int:
    """Descriptors for one viewer: page, picture and MJPEG, and what is asked of MediaMTX for it."""
    return 4 if web.media == "mediamtx" else 3


def needed(web: Web) -> int:
    """Descriptors for as many viewers as `web.max_viewers` lets in."""
    return each(web) * web.max_viewers + SHORT + RESERVE


def raise_limit(wanted: int) -> int:
    """Raise the soft limit to what is wanted, as far as the hard one allows; gives what it is now.

    getrlimit(2), RLIMIT_NOFILE. A higher limit is left as it is.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    better = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft == resource.RLIM_INFINITY or soft >= better:
        return wanted if soft == resource.RLIM_INFINITY else soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (better, hard))
    return better


def enough_for(web: Web, limit: int) -> int:
    """How many viewers can be let in with so many descriptors; a quarter at most is for others."""
    free = limit - RESERVE
    return max(1, min(web.max_viewers, (free - min(SHORT, free // 4)) // each(web)))


def shortage(web: Web, limit: int) -> str | None:
    """One line for whoever configured more viewers than there are descriptors for."""
    if (wanted := needed(web)) <= limit:
        return None
    return (
        f"web.max_viewers = {web.max_viewers} needs {wanted} file descriptors, the limit is {limit}"
        f" (ulimit -Hn): at most {enough_for(web, limit)} viewers are let in; raise LimitNOFILE of"
        " the unit, or nofile of the container"
    )
