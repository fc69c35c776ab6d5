"""Servers that send something piece by piece, and remember when: Motion JPEG, raw H.264."""

import socket
import threading
from collections.abc import Iterator, Sequence
from itertools import count
from random import Random

from media.clock import boottime


class PacedServer:
    """Whoever connects gets the head and then the pieces in turn, for ever.

    rate: pieces a second; jitter: by which part of a step each may be late. sent: when each piece
    left (boot seconds), of the newest connection.
    """

    def __init__(
        self, pieces: Sequence[bytes], rate: float, *, head: bytes = b"", jitter: float = 0.0
    ) -> None:
        self.sent: list[float] = []
        self.connections = 0
        self._pieces = pieces
        self._step = 1 / rate
        self._head = head
        self._jitter = jitter
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self.sent = []
            with connection:
                self._send(connection)

    def _send(self, connection: socket.socket) -> None:
        try:
            if self._head:
                connection.recv(65536)
            connection.sendall(self._head)
            begun = boottime()
            for number, late in zip(count(), self._lateness(), strict=False):
                due = begun + number * self._step + late
                if self._over.wait(max(0.0, due - boottime())):
                    return
                self.sent.append(boottime())
                connection.sendall(self._pieces[number % len(self._pieces)])
        except OSError:
            return

    def _lateness(self) -> Iterator[float]:
        random = Random(1)
        while True:
            yield random.random() * self._jitter * self._step

    def close(self) -> None:
        """End it."""
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


HEAD = (
    b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n"
    b"Cache-Control: no-cache\r\n\r\n"
)


def part(jpeg: bytes) -> bytes:
    """One picture of Motion JPEG over HTTP."""
    about = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg)
    return about + jpeg + b"\r\n"
