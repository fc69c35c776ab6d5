"""What the other side's TCP has acknowledged of everything that this process sends."""

import contextlib
import os
import socket
import struct
from pathlib import Path

_TCP_INFO_SIZE = 192
_BYTES_ACKED = 120
"""Offset of tcpi_bytes_acked (RFC 4898 tcpEStatsAppHCThruOctetsAcked) in struct tcp_info."""


class Acknowledged:
    """Watches every TCP connection of this process, whoever opened it.

    A library that speaks a protocol keeps its socket to itself, but the kernel shows it. New ones
    get a send buffer of `send_buffer` bytes, since what waits in it is late, and TCP_NODELAY.
    """

    def __init__(self, send_buffer: int) -> None:
        self._send_buffer = send_buffer
        self._counts: dict[str, int] = {}

    def since_last_time(self) -> int:
        """Bytes that were newly acknowledged."""
        counts = self._look()
        new = sum(max(0, count - self._counts.get(name, 0)) for name, count in counts.items())
        self._counts = counts
        return new

    def _look(self) -> dict[str, int]:
        counts = {}
        for entry in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):
                name = str(entry.readlink())
                if name.startswith("socket:"):
                    with socket.socket(fileno=os.dup(int(entry.name))) as connection:
                        self._prepare(connection, name)
                        counts[name] = bytes_acked(connection)
        return counts

    def _prepare(self, connection: socket.socket, name: str) -> None:
        if name not in self._counts:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._send_buffer)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def bytes_acked(connection: socket.socket) -> int:
    """Bytes of a TCP connection that the other side's kernel has taken; OSError for other ones."""
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_SIZE)
    return int(struct.unpack_from("=Q", info, _BYTES_ACKED)[0])
