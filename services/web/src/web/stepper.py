"""The motor over HTTP, under the names that the predecessor gave it; for operators."""

from typing import Annotated, Any, Literal

from bus.messages import StepperAction, StepperCode, StepperStatus
from bus.messages.people import Identifier
from bus.topics import STEPPER_LEASE
from fastapi import APIRouter, HTTPException, Query

from .identity import Identity, Operator
from .motor import AwayError
from .station import Here, Station

CODES: dict[StepperCode, int] = {
    "malformed": 422,
    "too_fast": 422,
    "held": 409,
    "moving": 409,
    "not_enabled": 409,
    "position_unknown": 409,
    "outside_limits": 409,
}
"""What a refusal is in HTTP; any other is 503."""
AWAY: dict[int | str, dict[str, Any]] = {
    503: {"description": "there is no motor, or it does not answer: the reason"}
}
ANSWERS: dict[int | str, dict[str, Any]] = AWAY | {
    403: {"description": "no operator"},
    409: {"description": "it moves, is not enabled, is held by another, would leave its limits"},
}
NO_PAGE = (
    "open the page first (or the WebSocket /events, and answer each beat of the status): "
    "without it the motor would stop within a second"
)

router = APIRouter(tags=["motor"], prefix="/api/stepper")
stop = APIRouter(tags=["motor"], prefix="/api/stepper")
"""Apart, since nobody is ever in too much of a hurry to stop."""

Id = Annotated[Identifier | None, Query(description="of the command; made here when absent")]
Rpm = Annotated[float | None, Query(gt=0, le=1000, description="revolutions a minute")]


@router.get("/status", responses=AWAY)
async def status(station: Here) -> dict[str, Any]:
    """The state as the motor says it, and who steers; a position that is not known is null."""
    now = present(station)
    lease = station.readings.get(STEPPER_LEASE)
    return now.model_dump() | {
        "position_steps": now.position,
        "worker_alive": now.error is None,
        "last_error": now.error,
        "steps_per_rev": now.steps_per_revolution,
        "default_rpm": now.rpm,
        "lease": lease and lease.model_dump(),
    }


@router.post("/enable", responses=ANSWERS)
async def enable(station: Here, who: Operator, id: Id = None) -> dict[str, Any]:
    """Let current into the motor, and steer it: nobody else can until you let go."""
    return await order(station, who, "enable", id=id)


@router.post("/disable", responses=ANSWERS)
async def disable(station: Here, who: Operator, id: Id = None) -> dict[str, Any]:
    """Take the current away, and let others steer."""
    return await order(station, who, "disable", id=id)


@router.post("/home", responses=ANSWERS)
async def home(station: Here, who: Operator, id: Id = None) -> dict[str, Any]:
    """Look for the limit switch; without one, declare this place home."""
    return await movement(station, who, "home", id=id)


@router.post("/step", responses=ANSWERS)
async def step(
    station: Here,
    who: Operator,
    steps: Annotated[int, Query(ge=1, le=1_000_000)],
    rpm: Rpm = None,
    direction: Literal["fwd", "rev"] = "fwd",
    id: Id = None,
) -> dict[str, Any]:
    """Move by so many steps, within the limits; `fwd` opens."""
    signed, usual = (steps if direction == "fwd" else -steps), present(station).rpm
    answer = await movement(station, who, "move", id=id, steps=signed, rpm=rpm)
    return answer | {"requested_steps": signed, "rpm": rpm or usual}


@router.post("/open", name="open_", responses=ANSWERS)
async def open_(station: Here, who: Operator, rpm: Rpm = None, id: Id = None) -> dict[str, Any]:
    """Move up by the configured travel, within the limits."""
    travel = present(station).travel
    return await movement(station, who, "open", id=id, rpm=rpm) | {"steps": travel}


@router.post("/close", responses=ANSWERS)
async def close(station: Here, who: Operator, rpm: Rpm = None, id: Id = None) -> dict[str, Any]:
    """Move down by the configured travel, within the limits."""
    travel = present(station).travel
    return await movement(station, who, "close", id=id, rpm=rpm) | {"steps": -travel}


@stop.post("/abort", responses=AWAY | {403: {"description": "no operator"}})
async def abort(station: Here, who: Operator, id: Id = None) -> dict[str, Any]:
    """Stop, whoever steers, and take the current away."""
    return await order(station, who, "stop", id=id)


def present(station: Station) -> StepperStatus:
    """What the motor says of itself; 503 when there is none."""
    try:
        return station.motor.status
    except AwayError as error:
        raise HTTPException(503, str(error)) from None


async def movement(
    station: Station, who: Identity, action: StepperAction, **about: Any
) -> dict[str, Any]:
    """An order whose giver must be there to see it; 409 when they are not."""
    present(station)
    if not station.motor.sees(who):
        raise HTTPException(409, NO_PAGE)
    return await order(station, who, action, **about)


async def order(
    station: Station, who: Identity, action: StepperAction, **about: Any
) -> dict[str, Any]:
    """Give an order and say what became of it; a movement has begun then, not ended."""
    try:
        result = await station.motor.command(who, action, **about)
    except AwayError as error:
        raise HTTPException(503, str(error)) from None
    if not result.accepted:
        raise HTTPException(CODES.get(result.code, 503), f"{result.code}: {result.reason}")
    return {"result": "ok", "id": result.id}
