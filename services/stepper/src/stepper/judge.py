"""Whether a command is who and when it says: nonces, ages, repeats. It knows no motor."""

import secrets
from collections import OrderedDict
from collections.abc import Callable
from time import monotonic
from typing import NamedTuple, TypeVar

from bus.messages import StepperCode, StepperCommand, StepperNonce

V = TypeVar("V")

MOST = 4096
"""Nonces, and ids, that are remembered; the oldest are forgotten, and so refused as unknown."""


class No(Exception):
    """A refusal: what kind, and in words."""

    def __init__(self, code: StepperCode, reason: str) -> None:
        super().__init__(reason)
        self.code: StepperCode = code


class Issued(NamedTuple):
    """Who got a nonce, and when, by the monotonic clock (s)."""

    operator: str
    at: float


class Judge:
    """Issues nonces and takes each back once. No wall clock is asked: a Pi's may be wrong."""

    def __init__(self, seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._open: OrderedDict[str, Issued] = OrderedDict()
        self._spent: OrderedDict[str, None] = OrderedDict()
        self._ids: OrderedDict[str, None] = OrderedDict()

    def issue(self, operator: str) -> StepperNonce:
        """A nonce for one command of this operator."""
        nonce = secrets.token_urlsafe(16)
        remember(self._open, nonce, Issued(operator, self._clock()))
        return StepperNonce(nonce=nonce, seconds=self._seconds)

    def admit(self, command: StepperCommand) -> None:
        """Take the command's nonce and id, once; raises No."""
        if command.nonce in self._spent or command.id in self._ids:
            raise No("replayed", "this command, or its nonce, was here before")
        issued = self._open.pop(command.nonce, None)
        if issued is None or issued.operator != command.operator:
            raise No("unknown_nonce", "the stepper did not issue this nonce to this operator")
        remember(self._spent, command.nonce, None)
        remember(self._ids, command.id, None)
        age = self._clock() - issued.at
        if age > (most := min(command.expires, self._seconds)):
            raise No("expired", f"{age:.1f} s after its nonce; it was good for {most:g} s")


def remember(store: OrderedDict[str, V], key: str, value: V) -> None:
    """Keep the newest MOST."""
    store[key] = value
    while len(store) > MOST:
        store.popitem(last=False)
