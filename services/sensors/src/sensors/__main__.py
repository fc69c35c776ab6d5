"""Wires settings, sources and bus."""

import asyncio

from bus import Bus, main

from . import cpu, machine
from .settings import Settings


async def work(bus: Bus, settings: Settings, _name: str) -> None:
    """Publish the readings of the air, the processor, the system and the sound."""
    sensors = settings.sensors
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(cpu.watch(bus, sensors))
        tasks.create_task(machine.watch(bus, sensors))
        if sensors.bme680.driver != "off":
            from . import climate

            tasks.create_task(climate.watch(bus, settings))
        if sensors.audio.driver != "off":
            from . import sound

            tasks.create_task(sound.watch(bus, settings))


if __name__ == "__main__":
    main("sensors", Settings, work, dated=True)
