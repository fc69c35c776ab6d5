"""The listening socket, with what every accepted one inherits from it."""

import errno
import os
import socket

from .settings import Web

DEAD_AFTER_MS = 20_000
"""TCP_USER_TIMEOUT, tcp(7): a peer that acknowledges nothing for so long is gone."""


class PortError(OSError):
    """The port cannot be had; the text says which one and how to choose another."""


def listen(web: Web) -> socket.socket:
    """Bind and listen; raises PortError with one line for the user."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            web.host, web.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind)
    except OSError as error:
        raise PortError(f"web.host = {web.host}: {error.strerror}") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if web.host == "::":
            # All interfaces, whatever net.ipv6.bindv6only says: who types an IPv4 address too.
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        shape(listener, web)
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise PortError(explain(error, web)) from None
    listener.setblocking(False)
    return listener


def shape(listener: socket.socket, web: Web) -> None:
    """Hold little back in the kernel: what waits there is late and cannot be dropped any more."""
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, web.send_buffer)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, web.unsent)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_AFTER_MS)


def explain(error: OSError, web: Web) -> str:
    """One line: what is wrong with the port, and how to choose another."""
    if error.errno == errno.EADDRINUSE:
        what = f"port {web.port} on {web.host} is taken"
    elif error.errno == errno.EACCES:
        what = f"port {web.port} needs more rights than this user has"
    else:
        what = f"cannot listen on {web.host}:{web.port}: {os.strerror(error.errno or 0)}"
    return f"{what}; choose another with BEEPER_WEB__PORT=8081, or web.port in beeper.toml"
