"""Descriptors: how many a service opens at most, and how many it can be given."""

import resource
from typing import Any

UNITS = 8192
"""LimitNOFILE of the units web and webrtc, and of Compose; above it `make install` says more."""
BROKER = 65_536
"""The broker's: more than the 28,000 connections that the kernel lets one address have to one port.
Mosquitto before 2.0.12 (bookworm has 2.0.11) loses count of them, so its own limit holds only until
many have come and gone; a silent one takes 1 kB, and 90 s."""
SPARE = 1024
"""Beside people who watch: requests in flight, refusals, files, the bus."""
INTERFACES = 4
"""Addresses of this machine for which a WebRTC session opens a socket each, about."""


def descriptors(settings: dict[str, Any]) -> dict[str, int]:
    """Service → descriptors that it needs at most.

    `web.max_viewers` counts live sockets, pages and MJPEG streams each on their own; MediaMTX is
    asked for somebody besides. A hub has no service webrtc.
    """
    each = 4 if settings["web"]["media"] == "mediamtx" else 3
    needed = {"web": each * settings["web"]["max_viewers"] + SPARE}
    if "webrtc" in settings:
        needed["webrtc"] = INTERFACES * settings["webrtc"]["max_sessions"] + SPARE
    return needed


def raised(needed: int) -> int:
    """What a process of this user can be given: what it needs, or the hard limit below that."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return needed if hard == resource.RLIM_INFINITY else min(needed, hard)
