"""The motor: what it is asked, what became of it, where it is."""

from typing import Literal

from pydantic import Field

from .base import Message, Metric, Timestamp
from .people import Identifier, Name

StepperAction = Literal["enable", "disable", "home", "move", "open", "close", "stop"]
StepperCode = Literal[
    "ok",
    "malformed",
    "unknown_nonce",
    "expired",
    "replayed",
    "held",
    "moving",
    "not_enabled",
    "position_unknown",
    "outside_limits",
    "too_fast",
    "fault",
]
"""Why a command was refused; `ok`: it was not. A retained command is `malformed`."""
StepperOutcome = Literal["done", "stopped", "dead_man", "switch", "no_switch", "fault"]
"""How a movement ended. `dead_man`: nobody renewed it; `switch`: it met the limit switch;
`no_switch`: it was looked for and not found."""


class StepperNonceQuery(Message):
    """Somebody is about to send a command."""

    operator: Name


class StepperNonce(Message):
    """Good for one command of that operator, and only for a while."""

    nonce: Identifier
    seconds: float = Field(gt=0, description="s after which it is worth nothing")


class StepperCommand(Message):
    """One order to the motor.

    Age is judged by the stepper's monotonic clock, from the moment at which it issued the nonce.
    `stop` needs neither nonce nor lease, and may come late: it is never refused.
    """

    id: Identifier
    nonce: Identifier
    expires: float = Field(gt=0, le=60, description="s after the nonce was issued")
    operator: Name
    action: StepperAction
    steps: int | None = Field(
        default=None, ge=-1_000_000, le=1_000_000, description="move: relative, + opens"
    )
    position: int | None = Field(
        default=None, ge=-1_000_000, le=1_000_000, description="move: absolute, steps from home"
    )
    rpm: float | None = Field(default=None, gt=0, le=1000, description="null = as configured")


class StepperRenew(Message):
    """The dead man's word: the operator of a movement is still there, and has seen this beat."""

    id: Identifier = Field(description="id of the command that began the movement")
    operator: Name
    beat: int = Field(ge=0, description="the newest one of the stepper's status")


class StepperResult(Message):
    """What became of a command; `accepted` is the beginning of a movement, not its end."""

    id: Identifier | None = Field(description="null when the command had none that can be read")
    accepted: bool
    code: StepperCode
    reason: str | None = Field(default=None, max_length=200)


class StepperStatus(Metric):
    """Real state and position; a position that is not known is null."""

    enabled: bool
    moving: bool
    position: int | None = Field(default=None, description="steps from home")
    target: int | None = Field(default=None, description="where the movement leads")
    minimum: int = Field(description="soft limit, steps from home")
    maximum: int = Field(description="soft limit, steps from home")
    steps_per_revolution: int = Field(ge=1)
    travel: int = Field(ge=1, description="steps of open and close")
    rpm: float = Field(gt=0, description="speed when a command says none")
    max_rpm: float = Field(gt=0)
    homing: Literal["switch", "here"] = Field(
        description="switch = home looks for the limit switch; here = it declares this place home"
    )
    at_switch: bool | None = Field(default=None, description="null = there is none")
    movement: Identifier | None = Field(default=None, description="id of its command")
    operator: Name | None = Field(default=None, description="whose movement it is")
    beat: int | None = Field(default=None, description="to be renewed by the operator's page")
    last: Identifier | None = Field(default=None, description="id of the last movement")
    outcome: StepperOutcome | None = Field(default=None, description="how that ended")
    error: str | None = Field(default=None, max_length=200)


class StepperLease(Message):
    """Who may steer at the moment; null when nobody does."""

    holder: Name | None
    until: Timestamp | None
