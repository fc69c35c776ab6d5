"""The machine: load, memory, disk and network, as psutil sees them."""

import asyncio
import platform
import time
from pathlib import Path

import psutil
from bus import Bus, wall_clock
from bus.messages import SystemStats
from bus.topics import SYSTEM

from .settings import Sensors
from .source import Fault, sample

FIRST = 1.0
"""Seconds over which the processor's use is taken for the first reading."""


async def watch(bus: Bus, sensors: Sensors) -> None:
    """Publish the machine's state until cancelled."""
    psutil.cpu_percent()  # the next call says what was used since this one
    await asyncio.sleep(min(FIRST, sensors.interval))
    name = operating_system()

    async def read() -> SystemStats:
        # psutil remembers the last call by thread, so every call is made from this one
        busy = psutil.cpu_percent()
        return await asyncio.to_thread(measure, sensors, name, busy)

    await sample(bus, "system", SYSTEM, read, sensors)


def measure(sensors: Sensors, name: str, busy: float) -> SystemStats:
    """The state now, with the processor's use (%); raises Fault when the watched disk is away."""
    memory = psutil.virtual_memory()
    received, sent = traffic()
    return SystemStats(
        timestamp=wall_clock.now(),
        interval=sensors.interval,
        cpu_percent=min(busy, 100),
        memory_percent=memory.percent,
        memory_used_bytes=memory.total - memory.available,
        memory_total_bytes=memory.total,
        disk_percent=disk_percent(sensors),
        load_1m=psutil.getloadavg()[0],
        uptime_seconds=time.clock_gettime(time.CLOCK_BOOTTIME),
        net_rx_bytes=received,
        net_tx_bytes=sent,
        os=name,
        kernel=platform.release(),
    )


def disk_percent(sensors: Sensors) -> float:
    """How full the disk is for an ordinary user (%)."""
    path = sensors.system.disk
    try:
        return psutil.disk_usage(str(path)).percent
    except OSError as error:
        raise Fault(f"sensors.system.disk = {path} cannot be read: {error.strerror}") from None


def traffic(net: Path = Path("/sys/class/net")) -> tuple[int, int]:
    """Bytes received and sent since boot by all network devices.

    Bridges, tunnels and Docker's pairs would count the same bytes again; where there is nothing
    else, as in a virtual machine's container, all of them but loopback count.
    """
    counters = psutil.net_io_counters(pernic=True)
    devices = [count for name, count in counters.items() if (net / name / "device").exists()]
    outside = devices or [count for name, count in counters.items() if name != "lo"]
    return sum(count.bytes_recv for count in outside), sum(count.bytes_sent for count in outside)


def operating_system() -> str:
    """Its name for people, such as `Debian GNU/Linux 13 (trixie)`."""
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"][:128]
    except (OSError, KeyError):
        return platform.system()
