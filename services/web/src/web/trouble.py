"""Why something is not there, in words for the page and for whoever keeps the station."""

from bus import wall_clock
from bus.topics import CAMERA_STATUS, SERVICE_STATUS

from .pulse import Pulse
from .readings import LOST_AFTER, Readings, stale

BUS_WORDS = {"lost": "the bus is not there", "silent": "the bus does not answer"}


def bus_trouble(pulse: Pulse) -> str | None:
    """Why the bus is of no use at the moment; None when it works."""
    return BUS_WORDS.get(pulse.state)


def service_trouble(instance: str, readings: Readings) -> str | None:
    """Why a service is not at work; None when it is, or has never been heard of."""
    status = readings.get(SERVICE_STATUS, instance=instance)
    if status is None:
        return None
    if status.state != "online":
        return f"service {instance} is {status.state}"
    if wall_clock.now() - status.timestamp > LOST_AFTER:
        return f"service {instance} is lost: it has said nothing for {LOST_AFTER:g} s"
    return None


def at_work(instance: str, readings: Readings) -> bool:
    """Whether a service has been heard of and works."""
    heard = readings.get(SERVICE_STATUS, instance=instance) is not None
    return heard and service_trouble(instance, readings) is None


def camera_trouble(camera: str, readings: Readings, pulse: Pulse) -> str | None:
    """Why there is no picture of a camera; None when nothing is known to be wrong."""
    if trouble := bus_trouble(pulse) or service_trouble(f"camera-{camera}", readings):
        return trouble
    status = readings.get(CAMERA_STATUS, camera=camera)
    if status is None:
        return f"camera {camera}: nothing has been heard of it"
    if status.error:
        return f"camera {camera}: {status.error}"
    if status.state in ("starting", "backoff"):
        return f"camera {camera}: {status.state}"
    if status.state == "stopped" and status.demand == "always":
        return f"camera {camera}: stopped"
    if stale(status, CAMERA_STATUS.every):
        return f"camera {camera}: its status is old"
    return None


def degraded(readings: Readings, pulse: Pulse) -> list[str]:
    """Everything that is known to be wrong, one line each."""
    lines = [trouble] if (trouble := bus_trouble(pulse)) else []
    for instance, status in readings.each(SERVICE_STATUS).items():
        if trouble := service_trouble(instance, readings):
            lines.append(trouble)
        lines += [f"{instance}: {part}: {what}" for part, what in status.problems.items()]
    for camera in readings.each(CAMERA_STATUS):
        trouble = camera_trouble(camera, readings, pulse)
        if trouble and trouble not in lines:
            lines.append(trouble)
    return lines
