"""The indexer as the service sees it: started, told, heard, and never left with ENABLE on."""

import asyncio
import contextlib
import json
import logging
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Callable
from time import monotonic
from typing import Any, NamedTuple

from bus.messages import StepperOutcome

from . import pins
from .indexer import MAX_MESSAGE
from .settings import Stepper

log = logging.getLogger(__name__)

START = 15.0
"""Seconds that the indexer may take to open its pins."""
GOODBYE = 0.5
STARTING = "the pins are not open yet"


class MotorError(Exception):
    """Why the motor cannot be used."""


class Report(NamedTuple):
    """What the indexer says of the pins."""

    movement: str | None = None
    enabled: bool = False
    done: int = 0
    """Steps of the movement until now, up is positive."""
    beat: int | None = None
    at_switch: bool | None = None
    ended: StepperOutcome | None = None
    """How the movement ended, once."""
    lost: bool = False
    """It was too fast to stop where it was."""
    refused: str | None = None
    """Id of an order that came at the wrong moment."""


class Motor:
    """Starts the indexer, and again when it has died; the two guard each other."""

    def __init__(self, axis: Stepper, hear: Callable[[Report], None]) -> None:
        self.report = Report()
        self.error: str | None = STARTING
        self.shaft: int = axis.simulated_at
        """Where a simulated shaft stands when the indexer starts."""
        self._axis = axis
        self._hear = hear
        self._socket: socket.socket | None = None
        self._heard_at = 0.0
        self._failed: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def tell(self, do: str, **about: Any) -> None:
        """Hand an order over; raises MotorError when there is nobody to take it."""
        if self._socket is None:
            raise MotorError(self.error or "the indexer is not there")
        try:
            self._socket.send(json.dumps({"do": do} | about).encode())
        except OSError as error:
            self._fail(f"the indexer takes nothing: {error.strerror}")
            raise MotorError("the indexer takes nothing") from None

    async def run(self) -> None:
        """Keep the indexer until cancelled; it stops the motor when this end is closed."""
        while True:
            try:
                await self._serve()
            except MotorError as error:
                self._lose(str(error))
            await asyncio.sleep(self._axis.retry)

    async def _serve(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "stepper.indexer", str(theirs.fileno())),
            pass_fds=(theirs.fileno(),),
            # Whoever kills the service's process group must not kill its guard.
            start_new_session=True,
        )
        theirs.close()
        self._failed = asyncio.get_running_loop().create_future()
        self._socket = ours
        self._heard_at = monotonic() + START
        asyncio.get_running_loop().add_reader(ours, self._read, ours)
        try:
            self.tell("open", axis=self._axis.model_dump(mode="json"), shaft=self.shaft)
            raise MotorError(await self._failure())
        finally:
            asyncio.get_running_loop().remove_reader(ours)
            self._socket = None
            ours.close()
            await asyncio.shield(self._end(process))

    async def _failure(self) -> str:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._axis.silence / 4):
                    return await asyncio.shield(self._failed)
            if monotonic() - self._heard_at > self._axis.silence:
                return f"the indexer has said nothing for {self._axis.silence:g} s"

    async def _end(self, process: Process) -> None:
        """The closed socket has told it to stop; if it cannot, ENABLE is switched off from here."""
        try:
            async with asyncio.timeout(GOODBYE):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        if process.returncode != 0:
            self._release()

    def _release(self) -> None:
        try:
            pins.release(self._axis)
        except Exception as error:  # noqa: BLE001 (lgpio and gpiozero have no common class)
            log.error("ENABLE could not be switched off: %s", error)
        else:
            log.warning("the indexer was killed: ENABLE is switched off")

    def _read(self, ours: socket.socket) -> None:
        try:
            data = ours.recv(MAX_MESSAGE)
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(f"the indexer is gone: {error.strerror}")
            return
        if not data:
            self._fail("the indexer is gone")
            return
        about = json.loads(data)
        if "error" in about:
            self._fail(about["error"])
            return
        self._heard_at = monotonic()
        self.error = None
        self.report = Report(**about)
        self._hear(self.report)

    def _fail(self, why: str) -> None:
        if not self._failed.done():
            self._failed.set_result(why)

    def _lose(self, why: str) -> None:
        before, self.report, self.error = self.report, Report(), why
        end = before._replace(movement=None, enabled=False, ended="fault", lost=True, refused=None)
        # Also when no report has named a movement: one may have been told to it since.
        self._hear(end)
