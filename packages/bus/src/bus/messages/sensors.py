"""Readings of the air, the processor, the system and the sound."""

from typing import Literal

from pydantic import Field

from .base import Metric

IaqClass = Literal["Excellent", "Good", "Moderate", "Poor", "Very Poor", "Severe"]
IAQ_CLASSES: tuple[tuple[float, IaqClass], ...] = (
    (50, "Excellent"),
    (100, "Good"),
    (150, "Moderate"),
    (200, "Poor"),
    (300, "Very Poor"),
    (500, "Severe"),
)


def iaq_class(iaq: float) -> IaqClass:
    """The name of an air quality index (0-500, low is good)."""
    return next((name for limit, name in IAQ_CLASSES if iaq <= limit), "Severe")


class Climate(Metric):
    """One reading of the BME680 (datasheet BST-BME680-DS001)."""

    temperature: float = Field(ge=-45, le=90, description="°C, self-heating removed")
    temperature_raw: float = Field(ge=-45, le=90, description="°C, as the sensor says it")
    humidity: float = Field(ge=0, le=100, description="%RH at the compensated temperature")
    pressure: float = Field(ge=250, le=1150, description="hPa")
    gas_resistance: float | None = Field(
        default=None, gt=0, description="Ω; null while the heater is not stable"
    )
    iaq: float | None = Field(default=None, ge=0, le=500, description="0-500, null until warm")
    iaq_accuracy: int = Field(default=0, ge=0, le=3, description="0 = burn-in, 3 = settled")
    iaq_class: IaqClass | None = None
    co2_equivalent: float | None = Field(default=None, gt=0, description="ppm, an estimate")


class CpuTemperature(Metric):
    """The processor: heat, clock, and the firmware's throttle bits (vcgencmd get_throttled)."""

    cpu_temp: float | None = Field(default=None, ge=-40, le=150, description="°C")
    cpu_freq_mhz: float | None = Field(default=None, ge=0, description="MHz")
    throttled: int | None = Field(
        default=None, ge=0, le=0xFFFFFFFF, description="bit mask; null off a Raspberry Pi"
    )
    under_voltage: bool | None = Field(default=None, description="now (bit 0)")
    frequency_capped: bool | None = Field(default=None, description="now (bit 1)")
    throttled_now: bool | None = Field(default=None, description="now (bit 2)")
    soft_temp_limit: bool | None = Field(default=None, description="now (bit 3)")
    under_voltage_occurred: bool | None = Field(default=None, description="since boot (bit 16)")
    frequency_capped_occurred: bool | None = Field(default=None, description="since boot (bit 17)")
    throttled_occurred: bool | None = Field(default=None, description="since boot (bit 18)")
    soft_temp_limit_occurred: bool | None = Field(default=None, description="since boot (bit 19)")


class SystemStats(Metric):
    """The machine as psutil sees it."""

    cpu_percent: float = Field(ge=0, le=100)
    memory_percent: float = Field(ge=0, le=100)
    memory_used_bytes: int = Field(ge=0)
    memory_total_bytes: int = Field(gt=0)
    disk_percent: float = Field(ge=0, le=100)
    load_1m: float = Field(ge=0)
    uptime_seconds: float = Field(ge=0)
    net_rx_bytes: int = Field(ge=0, description="since boot, all network devices")
    net_tx_bytes: int = Field(ge=0, description="since boot, all network devices")
    os: str = Field(max_length=128)
    kernel: str = Field(max_length=128)


class AudioLevel(Metric):
    """Loudness of the last interval."""

    level_db: float = Field(ge=-100, le=200, description="dB SPL, estimated: dBFS + offset")
    level_dbfs: float = Field(ge=-150, le=10, description="dBFS, RMS; full-scale sine = -3.01")
    peak_dbfs: float = Field(ge=-150, le=10, description="dBFS, highest sample")
