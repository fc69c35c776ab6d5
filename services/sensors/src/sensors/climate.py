"""The air: one reading of the BME680, its own heat taken off, judged against clean air."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bus import Bus, wall_clock
from bus.messages import Climate
from bus.messages.sensors import iaq_class
from bus.topics import CLIMATE

from . import air, baseline, cpu, i2c, moisture
from .settings import Bme680, Sensors, Settings
from .source import Fault, sample

if TYPE_CHECKING:
    from .chip import Chip, I2c, Measurement


async def watch(bus: Bus, settings: Settings) -> None:
    """Publish the climate until cancelled, then keep what was learned."""
    probe = Probe(settings.sensors, settings.state_dir)

    async def read() -> Climate:
        climate = await asyncio.to_thread(probe.read)
        bus.problem("baseline", probe.unsaved)
        return climate

    try:
        await sample(bus, "bme680", CLIMATE, read, settings.sensors)
    finally:
        probe.keep()


class Probe:
    """The sensor with what it has learned; opened at the first reading and again after a failure.

    Blocking: a reading takes the heating time and 40 ms, or the kernel's I²C timeout.
    """

    def __init__(self, sensors: Sensors, state_dir: Path) -> None:
        self.unsaved: str | None = None
        """Why the baseline could not be written, in words."""
        self._sensors = sensors
        self._open: Callable[[], I2c] = i2c.opener(sensors.bme680)
        self._bus: I2c | None = None
        self._chip: Chip | None = None
        self._source = source(sensors.bme680)
        self._path = state_dir / baseline.NAME
        self._known: air.Known | None = None
        self._measured_at: float | None = None
        self._saved_at = time.monotonic()

    def read(self) -> Climate:
        """Measure now; raises OSError that says what to do."""
        from .chip import absent

        settings = self._sensors.bme680
        try:
            measurement = self._connected().measure()
        except Fault:
            self._disconnect()
            raise
        except TimeoutError:
            self._disconnect()
            raise Fault("the BME680 does not end its measurement: starting it anew") from None
        except OSError:
            self._disconnect()
            raise Fault(absent(settings)) from None
        return self._climate(measurement, wall_clock.now())

    def keep(self) -> None:
        """Write down what was learned.

        The bus stays open until the process ends: a last measurement may still be running on it.
        """
        self._save(wall_clock.now())

    def _connected(self) -> "Chip":
        from .chip import find

        if self._chip is None:
            self._bus = self._open()
            self._chip = find(self._bus, self._sensors.bme680)
        return self._chip

    def _disconnect(self) -> None:
        if self._bus is not None:
            self._bus.close()
        self._bus = self._chip = None

    def _climate(self, measured: "Measurement", now: float) -> Climate:
        settings = self._sensors.bme680
        heat = cpu.temperature(self._sensors.cpu.sys) if settings.cpu_factor else None
        temperature = moisture.ambient(
            measured.temperature, settings.temperature_offset, settings.cpu_factor, heat
        )
        verdict = self._judge(measured, now)
        return Climate(
            timestamp=now,
            interval=self._sensors.interval,
            simulated=settings.driver == "simulated",
            temperature=round(temperature, 2),
            temperature_raw=measured.temperature,
            humidity=round(
                moisture.humidity_at(temperature, measured.temperature, measured.humidity), 2
            ),
            pressure=measured.pressure,
            gas_resistance=measured.gas_resistance and round(measured.gas_resistance),
            iaq=rounded(verdict.iaq),
            iaq_accuracy=verdict.accuracy,
            iaq_class=None if verdict.iaq is None else iaq_class(round(verdict.iaq, 1)),
            co2_equivalent=rounded(verdict.co2_equivalent),
        )

    def _judge(self, measured: "Measurement", now: float) -> air.Verdict:
        if measured.gas_resistance is None:
            return air.Verdict()
        iaq = self._sensors.iaq
        vapour = moisture.absolute_humidity(measured.temperature, measured.humidity)
        resistance = air.dry(measured.gas_resistance, vapour, iaq.humidity_factor)
        if self._known is None:
            self._known = baseline.load(self._path, self._source, now, iaq)
        clock = time.monotonic()
        since = 0.0 if self._measured_at is None else clock - self._measured_at
        self._measured_at = clock
        self._known = air.learn(self._known, resistance, since, iaq)
        if clock - self._saved_at >= iaq.save_interval:
            self._save(now)
        return air.judge(self._known, resistance, iaq)

    def _save(self, now: float) -> None:
        if self._known is None or self._known.baseline is None:
            return
        self._saved_at = time.monotonic()
        try:
            baseline.save(self._path, self._source, now, self._known)
            self.unsaved = None
        except OSError as error:
            self.unsaved = (
                f"{self._path} cannot be written ({error.strerror}): what was learned of clean "
                "air will be lost at the next start; make state_dir writable for this user"
            )


def source(settings: Bme680) -> str:
    """A name for this chip in this use; another heating gives other resistances."""
    where = "simulated" if settings.driver == "simulated" else f"i2c-{settings.bus}"
    return f"{where} {settings.heater_temperature} °C {settings.heater_ms} ms"


def rounded(value: float | None) -> float | None:
    """One decimal; the sensor has no more to say."""
    return None if value is None else round(value, 1)
