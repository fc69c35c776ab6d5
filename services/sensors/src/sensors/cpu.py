"""The processor: its temperature and clock from sysfs, its limits from the firmware."""

import asyncio
from pathlib import Path
from typing import Any

from bus import Bus, wall_clock
from bus.messages import CpuTemperature
from bus.topics import CPU

from . import throttle
from .settings import Cpu, Sensors
from .source import sample

ZONES = ("cpu-thermal", "cpu_thermal", "x86_pkg_temp", "soc-thermal", "soc_thermal", "acpitz")
"""Types of thermal zones that are the processor's, best first."""


async def watch(bus: Bus, sensors: Sensors) -> None:
    """Publish the processor's state until cancelled; a firmware that fails costs only its bits."""

    async def read() -> CpuTemperature | None:
        bits = None
        try:
            bits = await throttle.read(sensors.cpu)
            bus.problem("throttle", None)
        except OSError as error:
            bus.problem("throttle", str(error))
        return await asyncio.to_thread(measure, sensors, bits)

    await sample(bus, "cpu", CPU, read, sensors)


def measure(sensors: Sensors, bits: int | None) -> CpuTemperature | None:
    """What this machine tells; None when it tells nothing at all."""
    heat, clock = temperature(sensors.cpu.sys), frequency(sensors.cpu)
    if heat is None and clock is None and bits is None:
        return None
    decoded: dict[str, Any] = {} if bits is None else throttle.decode(bits)
    return CpuTemperature(
        timestamp=wall_clock.now(),
        interval=sensors.interval,
        cpu_temp=heat,
        cpu_freq_mhz=clock,
        throttled=bits,
        **decoded,
    )


def temperature(sys: Path) -> float | None:
    """°C of the processor's thermal zone; None on a machine without one."""
    zones: dict[int, float] = {}
    for zone in sorted(sys.glob("class/thermal/thermal_zone*")):
        kind, millidegrees = text(zone / "type"), number(zone / "temp")
        if kind in ZONES and millidegrees is not None:
            zones.setdefault(ZONES.index(kind), millidegrees / 1000)
    return zones[min(zones)] if zones else None


def frequency(cpu: Cpu) -> float | None:
    """MHz of the first core: from cpufreq, else what /proc/cpuinfo says; None when neither does."""
    kilohertz = number(cpu.sys / "devices/system/cpu/cpu0/cpufreq/scaling_cur_freq")
    if kilohertz is not None:
        return kilohertz / 1000
    for line in text(cpu.proc / "cpuinfo").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "cpu MHz":
            return float(value)
    return None


def text(path: Path) -> str:
    """A small file's content; empty when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def number(path: Path) -> int | None:
    """A file's whole number; None when there is none."""
    content = text(path)
    return int(content) if content.lstrip("-").isdecimal() else None
