"""Which hardware this machine has, by the least intrusive look at it."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from smbus2 import SMBus

BME680_ADDRESSES = (0x76, 0x77)
BME680_ID_REGISTER = 0xD0
BME680_ID = 0x61
"""Datasheet BST-BME680-DS001, §5.3.1."""


class Finding(NamedTuple):
    """One part of the station: a reason for simulating it, or None when it is there."""

    part: str
    missing: str | None
    simulated: dict[str, str]
    """The settings that choose the simulated driver."""


def findings(sys: Path = Path("/sys"), dev: Path = Path("/dev")) -> Iterator[Finding]:
    """Look for everything that a station can have."""
    sound = capture_device()
    yield Finding("camera csi", csi_camera(), {"BEEPER_CAMERA__CSI__DRIVER": "test"})
    yield Finding("camera usb", usb_camera(sys), {"BEEPER_CAMERA__USB__DRIVER": "test"})
    yield Finding("camera usb, sound", sound, {"BEEPER_CAMERA__USB__AUDIO": "test"})
    yield Finding("BME680", bme680(dev), {"BEEPER_SENSORS__BME680__DRIVER": "simulated"})
    yield Finding("microphone", sound, {"BEEPER_SENSORS__AUDIO__DRIVER": "simulated"})
    # Where there are pins, they may drive anything: a motor is there when the user says so.
    motor = {"BEEPER_STEPPER__DRIVER": "simulated", "BEEPER_STEPPER__ENABLED": "true"}
    yield Finding("motor", pins(dev), motor)


def csi_camera() -> str | None:
    """What rpicam-apps list, if they are installed."""
    program = shutil.which("rpicam-hello") or shutil.which("libcamera-hello")
    if program is None:
        return "rpicam-apps are not installed"
    try:
        listed = subprocess.run(
            [program, "--list-cameras"], capture_output=True, text=True, timeout=15, check=False
        )
    except subprocess.TimeoutExpired:
        return f"{program} --list-cameras does not answer"
    return None if "Available cameras" in listed.stdout + listed.stderr else "no camera on CSI"


def usb_camera(sys: Path) -> str | None:
    """A Video4Linux node that hangs on USB."""
    nodes = sys.glob("class/video4linux/video*")
    if any("/usb" in str((node / "device").resolve()) for node in nodes):
        return None
    return "no video device on USB"


def bme680(dev: Path) -> str | None:
    """The chip's id on any I²C bus."""
    buses = sorted(dev.glob("i2c-*"))
    if not buses:
        return "no I²C bus"
    if any(has_bme680(bus, address) for bus in buses for address in BME680_ADDRESSES):
        return None
    return f"none answers on {', '.join(str(bus) for bus in buses)}"


def has_bme680(bus: Path, address: int) -> bool:
    """Whether a BME680 says its id at this address."""
    try:
        with SMBus(str(bus)) as wire:
            return bool(wire.read_byte_data(address, BME680_ID_REGISTER) == BME680_ID)
    except OSError:
        return False


def pins(dev: Path, model: Path = Path("/proc/device-tree/model")) -> str | None:
    """The header of a Raspberry Pi; other machines have GPIO chips of another purpose."""
    if model.is_file() and model.read_text(encoding="utf-8").startswith("Raspberry Pi"):
        return None if any(dev.glob("gpiochip*")) else "no /dev/gpiochip*"
    return "no Raspberry Pi, so no pins"


def capture_device(proc: Path = Path("/proc/asound/pcm")) -> str | None:
    """An ALSA card that records."""
    if proc.is_file() and "capture" in proc.read_text(encoding="utf-8"):
        return None
    return "no ALSA device records"
