"""Drives the socket of a paho client from the event loop (paho's external loop interface)."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho

MISC = 1.0
"""Seconds between two looks of paho at its keepalive."""


class Pump:
    """Reads and writes as the socket allows; says `ended(reason)` when it fails.

    send_buffer: bytes that the kernel may hold back; 0 = its default.
    """

    def __init__(self, client: paho.Client, send_buffer: int, ended: Callable[[str], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._client = client
        self._send_buffer = send_buffer
        self._ended = ended
        self._writing = False
        self._stopped = False
        self._misc: asyncio.TimerHandle | None = None
        client.on_socket_open = self._on_open
        client.on_socket_close = self._on_close

    @property
    def congested(self) -> bool:
        """Whether the socket has not taken everything that was published."""
        return bool(self._client.want_write())

    def start(self) -> None:
        """Begin to look after the keepalive."""
        self._tick()

    def flush(self) -> None:
        """Write what paho did not: it never writes from its callbacks, nor to a full socket."""
        sock = self._client.socket()
        if self._writing or not self.congested or sock is None or sock.fileno() < 0:
            return
        self._writing = True
        self._loop.add_writer(sock, self._write)

    def stop(self) -> None:
        """Let the socket go and close it."""
        self._stopped = True
        if self._misc:
            self._misc.cancel()
        if sock := self._client.socket():
            self._on_close(None, None, sock)
            with contextlib.suppress(OSError):
                sock.close()

    def _on_open(self, _client: Any, _userdata: Any, sock: Any) -> None:
        if isinstance(sock, socket.socket):
            if sock.family != socket.AF_UNIX:
                # A small fragment behind another one must not wait 40 ms for a delayed ACK.
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._send_buffer:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._send_buffer)
        # paho connects in a thread: name resolution blocks.
        self._loop.call_soon_threadsafe(self._read_from, sock)

    def _read_from(self, sock: Any) -> None:
        if sock.fileno() >= 0 and not self._stopped:
            self._loop.add_reader(sock, self._read)

    def _read(self) -> None:
        self._check(self._client.loop_read())
        self.flush()

    def _write(self) -> None:
        self._check(self._client.loop_write())
        sock = self._client.socket()
        if sock is not None and sock.fileno() >= 0 and not self.congested:
            self._loop.remove_writer(sock)
            self._writing = False

    def _tick(self) -> None:
        if self._stopped:
            return
        self._check(self._client.loop_misc())
        self.flush()
        self._misc = self._loop.call_later(MISC, self._tick)

    def _check(self, code: int) -> None:
        if code != paho.MQTT_ERR_SUCCESS:
            self._ended(paho.error_string(code))

    def _on_close(self, _client: Any, _userdata: Any, sock: Any) -> None:
        if sock.fileno() >= 0:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)
