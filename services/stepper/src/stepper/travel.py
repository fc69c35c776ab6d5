"""Where a command leads, within the soft limits."""

from bus.messages import StepperCommand

from .judge import No
from .settings import Stepper


def steps_of(command: StepperCommand, axis: Stepper, position: int | None) -> int:
    """The steps of `move`, `open` or `close` from a position; raises No outside the limits."""
    if position is None:
        raise No("position_unknown", "the position is not known: home the motor first")
    steps = asked(command, axis, position)
    if steps == 0:
        raise No("malformed", "that is no movement: it stands there already")
    target = position + steps
    if not min(axis.minimum, position) <= target <= max(axis.maximum, position):
        allowed = f"allowed are {axis.minimum} to {axis.maximum}"
        raise No("outside_limits", f"that leads from {position} to {target}; {allowed}")
    return steps


def asked(command: StepperCommand, axis: Stepper, position: int) -> int:
    """Steps as the command wants them, limits or not."""
    match command.action:
        case "open":
            return axis.travel
        case "close":
            return -axis.travel
        case _ if (command.steps is None) == (command.position is None):
            raise No("malformed", "move takes either steps or position")
        case _ if command.steps is not None:
            return command.steps
        case _:
            return (command.position or 0) - position


def rpm_of(command: StepperCommand, axis: Stepper) -> float:
    """The speed that is meant; raises No when it is too much."""
    rpm = command.rpm or axis.rpm
    if rpm > axis.max_rpm:
        raise No("too_fast", f"{rpm:g} rpm; at most {axis.max_rpm:g} are allowed")
    return rpm
