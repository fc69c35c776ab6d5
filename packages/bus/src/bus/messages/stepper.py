"""The motor: what it is asked, what became of it, where it is."""

from typing import Literal

from pydantic import Field

from .base import Message, Metric, Timestamp
from .people import Identifier, Name


class StepperCommand(Message):
    """One order to the motor; judged against the nonce that the stepper issued last."""

    id: Identifier
    nonce: Identifier
    operator: Name
    action: Literal["enable", "disable", "home", "move", "open", "close", "stop", "renew"]
    steps: int | None = Field(default=None, ge=-1_000_000, le=1_000_000)
    position: int | None = Field(default=None, ge=-1_000_000, le=1_000_000)
    rpm: float | None = Field(default=None, gt=0, le=1000)


class StepperResult(Message):
    """What became of a command."""

    id: Identifier
    accepted: bool
    reason: str | None = Field(default=None, max_length=200)


class StepperStatus(Metric):
    """Real state and position; a position that is not known is null."""

    enabled: bool
    moving: bool
    position: int | None = Field(default=None, description="steps from home")
    nonce: Identifier
    error: str | None = Field(default=None, max_length=200)


class StepperLease(Message):
    """Who may steer at the moment; null when nobody does."""

    holder: Name | None = None
    until: Timestamp | None = None
