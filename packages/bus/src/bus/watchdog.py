"""What systemd is told of a service: that it has begun, and that its event loop goes round.

sd_notify(3), sd_watchdog_enabled(3). Where no supervisor asks for it, nothing is said.
"""

import asyncio
import os
import socket

SIGNS = 3
"""Signs of life in the time in which systemd wants one."""


def notify(state: str) -> None:
    """Send a state such as `READY=1`; raises OSError when the supervisor's socket is gone."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    # A socket of the abstract namespace is written with @ (unix(7)).
    path = "\0" + address[1:] if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to:
        to.sendto(state.encode(), path)


async def reassure() -> None:
    """Say that the service has begun, and then, where it is asked for, that its loop goes round."""
    notify("READY=1")
    microseconds = int(os.environ.get("WATCHDOG_USEC", "0"))
    meant = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    if not (microseconds and meant):
        return
    while True:
        notify("WATCHDOG=1")
        await asyncio.sleep(microseconds / 1_000_000 / SIGNS)
