"""A real coturn with the configuration that the project ships."""

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

from aioice.stun import TransactionFailed
from aioice.turn import create_turn_endpoint
from conftest import DEADLINE, free_port, own_environment, wait_until


class Coturn:
    """On the loopback interface; it relays to nobody but that."""

    def __init__(self, folder: Path, secret: str) -> None:
        self.port = free_port()
        settings = {"BEEPER_TURN__SECRET": secret, "BEEPER_TURN__PEERS": '["127.0.0.1"]'}
        etc = folder / "etc"
        configure = [sys.executable, "livekit/configure", str(etc)]
        subprocess.run(configure, env=own_environment() | settings, check=True, capture_output=True)
        command = ["turnserver", "-c", str(etc / "turnserver.conf"), "-p", str(self.port)]
        self._log = folder / "coturn.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, f"--userdb={folder / 'users'}"], stdout=log, stderr=log
            )

    async def ready(self) -> None:
        """Wait until it listens."""
        await asyncio.to_thread(wait_until, self._listens, "coturn listens")

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    async def allocate(self, username: str, credential: str) -> tuple[str, int] | None:
        """The address that is relayed for these credentials; None when they are refused."""
        try:
            transport, _ = await asyncio.wait_for(
                create_turn_endpoint(
                    asyncio.DatagramProtocol,
                    server_addr=("127.0.0.1", self.port),
                    username=username,
                    password=credential,
                ),
                5,
            )
        except (TransactionFailed, TimeoutError):
            return None
        address: tuple[str, int] = transport.get_extra_info("sockname")
        transport.close()
        return address

    def close(self) -> None:
        self._process.kill()
        self._process.wait(DEADLINE)
