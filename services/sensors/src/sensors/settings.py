"""What can be set about the readings."""

from pathlib import Path
from typing import Literal

from bus import Settings as Base
from bus.messages import Level
from bus.settings import Section
from pydantic import Field

Step = Literal["ok", "cold", "silent", "stuck"]
"""What the simulated BME680 does next; see `registers.SimulatedBus`."""


class Bme680(Section):
    """The air sensor, and what is known about the heat around it."""

    driver: Literal["i2c", "simulated", "off"] = Field(
        "i2c", description="simulated = a chip at register level, its readings are marked"
    )
    bus: int = Field(1, ge=0, le=99, description="the I²C bus: 1 is /dev/i2c-1")
    address: Literal["auto", "0x76", "0x77"] = Field("auto", description="auto tries both")
    heater_temperature: int = Field(320, ge=200, le=400, description="°C of the gas hot plate")
    heater_ms: int = Field(150, ge=1, le=4032, description="ms of heating before the gas reading")
    temperature_offset: float = Field(
        0.5, ge=-20, le=20, description="°C by which the sensor warms itself: subtracted"
    )
    cpu_factor: float = Field(
        0, ge=0, le=1, description="K of error for each K the processor is warmer than the sensor"
    )
    script: tuple[Step, ...] = Field(
        (), description="simulated only: what the first measurements meet, then all is well"
    )


class Iaq(Section):
    """How the air quality index learns; docs/air-quality.md explains each constant."""

    warmup: float = Field(1200, ge=0, description="s of heating before there is an index")
    burn_in: float = Field(172_800, gt=0, description="s of learning until iaq_accuracy is 3")
    pause: float = Field(300, gt=0, description="s without a gas reading that need a new warm-up")
    rise: float = Field(600, gt=0, description="s, time constant towards cleaner air")
    decay: float = Field(604_800, gt=0, description="s, time constant towards worse air")
    humidity_factor: float = Field(
        0.03, ge=0, le=0.2, description="drop of ln(resistance) for each g/m³ of water vapour"
    )
    save_interval: float = Field(3600, gt=0, description="s between two writes of the baseline")
    max_age: float = Field(604_800, gt=0, description="s after which a saved baseline is too old")


class Cpu(Section):
    """Where the kernel and the firmware tell about the processor."""

    sys: Path = Field(Path("/sys"), description="root of sysfs")
    proc: Path = Field(Path("/proc"), description="root of procfs")
    vcgencmd: str = Field("vcgencmd", min_length=1, description="the firmware's own program")
    timeout: float = Field(2, gt=0, le=60, description="s after which vcgencmd is killed")


class System(Section):
    """Which disk is watched."""

    disk: Path = Field(Path("/"), description="any path on the disk whose use is published")


class Audio(Section):
    """The microphone."""

    driver: Literal["alsa", "camera", "simulated", "off"] = Field(
        "alsa", description="the source of sound; camera = a camera's, out of the bus"
    )
    device: str = Field(
        "dsnoop_usb", min_length=1, description="ALSA capture device; alsa/asound.conf defines it"
    )
    camera: Level = Field("usb", description="driver camera: whose sound")
    interval: float = Field(1, ge=0.2, le=60, description="s over which the level is taken")
    db_offset: float = Field(
        100, ge=0, le=150, description="dB SPL at 0 dBFS: calibrate against a sound level meter"
    )
    silence: float = Field(5, gt=0, le=600, description="s without samples: the source has stopped")
    retry_min: float = Field(1, gt=0, le=600, description="s before the first new attempt")
    retry_max: float = Field(30, gt=0, le=3600, description="s between attempts at most")
    devices: Path = Field(Path("/dev/snd"), description="where the kernel's sound devices stand")


class Sensors(Section):
    """Every source of readings."""

    interval: float = Field(10, ge=0.05, le=3600, description="s between two readings")
    retry: float = Field(10, ge=0.05, le=3600, description="s between attempts at a failed source")
    bme680: Bme680 = Bme680()
    iaq: Iaq = Iaq()
    cpu: Cpu = Cpu()
    system: System = System()
    audio: Audio = Audio()


class Settings(Base):
    """Settings of the sensors service."""

    sensors: Sensors = Sensors()
