"""A named pipe that a child writes into, read on the event loop as soon as something is there."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path


class Fifo:
    """Both ends are open here, so the writer never waits for one."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path, 0o600)
        self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def listen(self, readable: Callable[[], None]) -> None:
        """Call `readable` whenever something can be read."""
        asyncio.get_running_loop().add_reader(self.fd, readable)

    def close(self) -> None:
        """Stop listening."""
        asyncio.get_running_loop().remove_reader(self.fd)
        os.close(self.fd)
