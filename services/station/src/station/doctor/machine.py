"""The machine itself: power and heat, the clock, the disk, limits of memory."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from bus.jump import day
from bus.kernel_clock import kept_by_rtc, synchronised
from bus.wall_clock import EARLIEST

from .verdict import Verdict, fail, ok, warn

SINCE_BOOT = 16
TROUBLES = {
    0: ("under-voltage", "a better power supply and a short cable"),
    1: ("the processor's clock is capped", "power and cooling"),
    2: ("the processor is throttled", "cooling, fewer pictures a second"),
    3: ("the soft temperature limit is reached", "cooling, a smaller picture: docs/tuning.md"),
}
"""Bits of `vcgencmd get_throttled`; 16 higher they say that it was so since the start."""

SMALL, TINY = 1 << 30, 100 << 20
"""Bytes of disk below which there is a warning, and a failure."""


def machine(state: Path, trusted: bool = False) -> Iterator[Verdict]:
    """All of it."""
    yield from throttling()
    yield clock(trusted)
    yield disk(state)
    yield memory()


def throttling() -> Iterator[Verdict]:
    """What the firmware of a Raspberry Pi has to complain of."""
    program = shutil.which("vcgencmd")
    if program is None:
        yield ok("no vcgencmd, so no Raspberry Pi whose power could be asked for")
        return
    ran = subprocess.run([program, "get_throttled"], capture_output=True, text=True, check=False)
    try:
        bits = int(ran.stdout.strip().removeprefix("throttled="), 16)
    except ValueError:
        yield warn("vcgencmd does not answer", "sudo usermod -aG video $USER, then log in anew")
        return
    for bit, (trouble, cure) in TROUBLES.items():
        if bits >> bit & 1:
            yield fail(trouble, cure)
        elif bits >> bit + SINCE_BOOT & 1:
            yield warn(f"since the start: {trouble}", cure)
    if not bits:
        yield ok("power and temperature have been well since the start")


def clock(trusted: bool) -> Verdict:
    """Whether anybody vouches for the clock: docs/architecture.md, "Time"."""
    now = time.time()
    if now < EARLIEST:
        return fail(f"the clock is not set: it says {day(now)}", "sudo timedatectl set-ntp true")
    if synchronised():
        return ok("the clock follows a time server")
    if trusted:
        return ok("the clock is taken as right: clock.trusted")
    if kept_by_rtc(now):
        return ok("the clock agrees with the real-time clock")
    return warn(
        "the clock follows no time server, so what is measured has no sure time",
        "sudo timedatectl set-ntp true, a real-time clock, or clock.trusted = true",
    )


def disk(state: Path) -> Verdict:
    """Room where the station keeps its state."""
    place = next(path for path in (state, *state.absolute().parents) if path.exists())
    free = shutil.disk_usage(place).free
    what = f"{free / (1 << 30):.1f} GiB free at {place}"
    cure = "sudo journalctl --vacuum-size=100M; sudo apt-get clean"
    if free < TINY:
        return fail(what, cure)
    return warn(what, cure) if free < SMALL else ok(what)


def memory(controllers: Path = Path("/sys/fs/cgroup/cgroup.controllers")) -> Verdict:
    """Whether the kernel can limit a service's memory, as the units and Compose ask it to."""
    if controllers.is_file() and "memory" not in controllers.read_text(encoding="utf-8").split():
        return warn(
            "the kernel does not limit memory, so one service can take all of it",
            "append cgroup_enable=memory to the line in /boot/firmware/cmdline.txt, reboot",
        )
    return ok("the kernel limits memory")
