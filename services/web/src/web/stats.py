"""Readings over plain HTTP, under the names that the predecessors gave them.

What the bus does not say is null, never 0; every answer names the age of its readings in seconds.
"""

from datetime import UTC, datetime
from typing import Any

from bus import Metric, Topic
from bus.topics import AUDIO, CAMERA_METADATA, CLIMATE, CPU, SERVICE_STATUS, SYSTEM
from fastapi import APIRouter, HTTPException

from .readings import Readings, age, short_name, stale
from .station import Here
from .trouble import service_trouble

GIGABYTE = 1 << 30

router = APIRouter(tags=["readings"])


@router.get("/api/stats")
async def stats(station: Here) -> dict[str, Any]:
    """The machine and its services; 503 while nothing is known of the machine."""
    readings = station.readings
    cpu, system = readings.get(CPU), readings.get(SYSTEM)
    if cpu is None and system is None:
        raise HTTPException(503, "nothing has been heard of the machine")
    return {
        "cpu": {
            "temp_c": cpu and cpu.cpu_temp,
            "usage_percent": system and system.cpu_percent,
        },
        "memory": {
            "total": system and system.memory_total_bytes,
            "used": system and system.memory_used_bytes,
            "available": system
            and round(system.memory_total_bytes * (1 - system.memory_percent / 100)),
            "percent": system and system.memory_percent,
        },
        "uptime_seconds": system and system.uptime_seconds,
        "network": {"ipv4_addresses": None, "internet_reachable": None},
        "services": services(readings),
        "ports": {"rtsp_8554": None, "api_8000": None},
        "os": {"pretty_name": system and system.os, "kernel": system and system.kernel}
        | {"arch": None},
        "timestamp": measured_at(cpu, system),
        "ages": ages(readings, CPU, SYSTEM),
    }


@router.get("/api/system/metrics")
async def system_metrics(station: Here) -> dict[str, Any]:
    """Five values of the machine: °C, %, GB (2^30 bytes), GB, and the uptime in words."""
    cpu, system = station.readings.get(CPU), station.readings.get(SYSTEM)
    if cpu is None and system is None:
        raise HTTPException(503, "nothing has been heard of the machine")
    return {
        "cpuTemp": cpu and cpu.cpu_temp,
        "cpuUsage": system and system.cpu_percent,
        "memoryUsage": system and round(system.memory_used_bytes / GIGABYTE, 2),
        "memoryTotal": system and round(system.memory_total_bytes / GIGABYTE, 2),
        "uptime": system and uptime(system.uptime_seconds),
        "timestamp": measured_at(cpu, system),
        "ages": ages(station.readings, CPU, SYSTEM),
    }


@router.get("/api/metrics")
async def metrics(station: Here, camera: str | None = None) -> dict[str, Any]:
    """Everything at once; `camera` chooses whose metadata (default: the first that has any)."""
    readings = station.readings
    cpu, system, air = readings.get(CPU), readings.get(SYSTEM), readings.get(CLIMATE)
    sound, pictures = readings.get(AUDIO), readings.each(CAMERA_METADATA)
    if camera is not None and camera not in station.hub.channels:
        raise HTTPException(404, f"there is no camera {camera[:64]!r}")
    chosen = camera or next(iter(pictures), "")
    picture = pictures.get(chosen)
    known = [message for message in (cpu, system, air, sound, picture) if message]
    if not known:
        raise HTTPException(503, "no reading has been heard")
    return {
        "cpu_temperature": cpu and cpu.cpu_temp,
        "system": system
        and system.model_dump(
            include={"cpu_percent", "memory_percent", "disk_percent", "uptime_seconds"}
        ),
        "i2c_sensors": {"bme680": air and climate(air)},
        "camera": picture and exposure(picture),
        "audio_level": sound and sound.level_db,
        "water": None,
        "food": None,
        "weather": None,
        "last_update": measured_at(*known),
        "ages": ages(readings, CPU, SYSTEM, CLIMATE, AUDIO)
        | ({f"camera/{chosen}/metadata": age(picture)} if picture else {}),
    }


def climate(air: Any) -> dict[str, Any]:
    """The air; `gas_raw` is the resistance in Ω."""
    return {
        "temperature": air.temperature,
        "humidity": air.humidity,
        "pressure": air.pressure,
        "gas_raw": air.gas_resistance,
        "iaq": air.iaq,
        "iaq_accuracy": air.iaq_accuracy,
        "iaq_class": air.iaq_class,
        "co2_equivalent": air.co2_equivalent,
        "calibration_status": "calibrating" if air.iaq is None else "ready",
        "calibration_progress": None,
        "calibration_day": None,
        "stale": stale(air, CLIMATE.every),
    }


def exposure(picture: Any) -> dict[str, Any]:
    """The camera sensor: µs, gains, lux, K, µs."""
    return {
        "exposure_time": picture.ExposureTime,
        "analogue_gain": picture.AnalogueGain,
        "digital_gain": picture.DigitalGain,
        "lux": picture.Lux,
        "colour_temp": picture.ColourTemperature,
        "frame_duration": picture.FrameDuration,
    }


def services(readings: Readings) -> dict[str, str]:
    """The state of every instance; one that has been silent for long is lost."""
    return {
        instance: "lost"
        if status.state == "online" and service_trouble(instance, readings)
        else status.state
        for instance, status in readings.each(SERVICE_STATUS).items()
    }


def measured_at(*messages: Metric | None) -> str | None:
    """The time of the oldest reading (ISO 8601, UTC)."""
    times = [message.timestamp for message in messages if message]
    if not times:
        return None
    return datetime.fromtimestamp(min(times), UTC).isoformat().replace("+00:00", "Z")


def ages(readings: Readings, *topics: Topic[Any]) -> dict[str, float | None]:
    """Seconds since each measurement; null for what was never heard."""
    found = {short_name(topic, {}): readings.get(topic) for topic in topics}
    return {name: age(message) if message else None for name, message in found.items()}


def uptime(seconds: float) -> str:
    """Days, hours and minutes."""
    minutes = int(seconds // 60)
    days, hours = minutes // 1440, minutes // 60 % 24
    return f"{days}d {hours}h {minutes % 60}m" if days else f"{hours}h {minutes % 60}m"
