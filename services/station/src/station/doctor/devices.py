"""Cameras, sensors, pins: whether they are there, open to the user, and known to Compose."""

import os
import re
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

from station import hardware

from .verdict import Verdict, fail, ok, warn

CURES = {
    "camera csi": "sudo apt-get install rpicam-apps; power off, seat the ribbon; rpicam-hello "
    "--list-cameras must show it",
    "camera usb": "plug it in; v4l2-ctl --list-devices must show it",
    "camera usb, sound": "arecord -l must show the microphone; sudo cp alsa/asound.conf /etc/",
    "BME680": "sudo raspi-config nonint do_i2c 0; i2cdetect -y 1 must show 76 or 77",
    "microphone": "arecord -l must show it; sudo cp alsa/asound.conf /etc/asound.conf",
    "motor": "wire it as docs/wiring.md says, or set stepper.enabled = false",
}
"""What to do about a part that was not found; a station may do without any of them."""

NODES = {
    "video[0-9]*": "video",
    "media[0-9]*": "video",
    "dma_heap/*": "video",
    "vcio": "video",
    "i2c-[0-9]*": "i2c",
    "gpiochip[0-9]*": "gpio",
    "snd/pcm*c": "audio",
}
"""Device nodes, and the group to which Raspberry Pi OS gives them."""

MAJORS = {"MAJOR_MEDIA": "media", "MAJOR_DMA_HEAP": "dma_heap", "MAJOR_GPIO": "gpiochip"}
"""Variables of compose.yaml, and the names in /proc/devices: the kernel gives these numbers out."""

DEFAULT = re.compile(r"\$\{((?:MAJOR|GROUP)_\w+):-(\d+)\}")


def parts(motor: bool) -> Iterator[Verdict]:
    """What is there of all that a station can have; the motor only where one is configured."""
    for part, missing, _ in hardware.findings():
        if part == "motor" and not motor:
            continue
        yield warn(f"{part}: {missing}", CURES[part]) if missing else ok(f"{part} is there")


def permissions(dev: Path = Path("/dev")) -> Iterator[Verdict]:
    """Whether whoever asks may open the devices; as root, whether the units' groups may."""
    for pattern, group in NODES.items():
        nodes = sorted(node for node in dev.glob(pattern) if stat.S_ISCHR(node.stat().st_mode))
        closed = [str(node) for node in nodes if not is_open(node, group)]
        if closed:
            yield fail(f"no permission for {', '.join(closed)}", cure(group))
        elif nodes:
            yield ok(f"{', '.join(map(str, nodes))} open for {group}")


def is_open(node: Path, group: str) -> bool:
    """Root opens everything, so for it only the node's group counts."""
    if os.geteuid() != 0:
        return os.access(node, os.R_OK | os.W_OK)
    try:
        return node.group() == group and bool(node.stat().st_mode & stat.S_IRGRP)
    except KeyError:
        return False


def cure(group: str) -> str:
    """How to let somebody in."""
    if os.geteuid() != 0:
        return f"sudo usermod -aG {group} {shlex.quote(os.environ.get('USER', 'pi'))}, log in anew"
    return f"a udev rule must give it to the group {group}, as Raspberry Pi OS does"


def compose(
    file: Path = Path("compose.yaml"),
    proc: Path = Path("/proc/devices"),
    groups: Path = Path("/etc/group"),
) -> Verdict:
    """Whether Compose knows the numbers that this machine gives to devices and groups."""
    if not file.is_file():
        return ok("no compose.yaml here, so no numbers to compare")
    here = numbers(proc.read_text(encoding="utf-8"))
    known = {variable: here[name] for variable, name in MAJORS.items() if name in here}
    lines = groups.read_text(encoding="utf-8").splitlines()
    known |= {f"GROUP_{f[0].upper()}": f[2] for f in (line.split(":") for line in lines)}
    defaults = dict(DEFAULT.findall(file.read_text(encoding="utf-8")))
    wrong = {
        name: known[name] for name in defaults if known.get(name, defaults[name]) != defaults[name]
    }
    if wrong:
        env = " ".join(f"{name}={number}" for name, number in sorted(wrong.items()))
        return warn(
            "Compose's numbers of devices and groups are not this machine's", f"into .env: {env}"
        )
    return ok("Compose's numbers of devices and groups are this machine's")


def numbers(devices: str) -> dict[str, str]:
    """Name → major number of the character devices (proc_devices(5))."""
    characters = devices.partition("Block devices:")[0]
    return {name: number for number, name in re.findall(r"^ *(\d+) (\S+)$", characters, re.M)}
