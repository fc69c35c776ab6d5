"""What the kernel and the hardware say of the time: synchronisation, real-time clock, boot."""

import ctypes
import functools
import time
from pathlib import Path
from typing import Literal

Evidence = Literal["kernel", "rtc", "setting"]
"""Who vouches for the wall clock: a time server by the kernel, a real-time clock, or the owner."""

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
RTCS = Path("/sys/class/rtc")
TIME_ERROR = 5
"""What adjtimex(2) returns while no time server keeps the clock (STA_UNSYNC); a step by
clock_settime(2) returns it to that until the time server has had its say."""
TIMEX = 256
"""Bytes, more than struct timex has."""
TIMESYNCD = Path("/run/systemd/timesync/synchronized")
POLL = 2048.0
"""Seconds between two answers of a time server at most, by timesyncd.conf(5)."""
AGREES = 60.0
"""Seconds that a real-time clock may differ: one that runs 20 ppm wrong does so within a month."""
CHARGED = 2_000_000
"""µV. A Raspberry Pi 5 without a battery for its real-time clock shows less."""


def boottime() -> float:
    """Seconds since boot (CLOCK_BOOTTIME): never set, and counted through suspend."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@functools.cache
def boot_id() -> str:
    """Which boot of which machine this is (random(4)); empty where nobody says."""
    try:
        return BOOT_ID.read_text(encoding="utf-8").strip()[:64]
    except OSError:
        return ""


@functools.cache
def libc() -> ctypes.CDLL:
    """The C library; looked up once, since the clock is asked each second."""
    return ctypes.CDLL(None, use_errno=True)


def synchronised(stand_in: Path | None = None) -> bool:
    """Whether a time server keeps the clock, as the kernel says (adjtimex(2)).

    Where the kernel may not be asked, systemd-timesyncd's mark counts.
    `stand_in` is a file that says `synchronised` in its place, for tests.
    """
    if stand_in is not None:
        return said_by(stand_in) == "synchronised"
    try:
        state = int(libc().adjtimex(ctypes.create_string_buffer(TIMEX)))
    except AttributeError:
        return False
    return timesyncd_was_here(time.time()) if state < 0 else state < TIME_ERROR


def timesyncd_was_here(now: float, mark: Path = TIMESYNCD) -> bool:
    """Whether systemd-timesyncd has set the clock within two of its intervals, by Unix time (s).

    It touches a file each time. Units may not ask the kernel: ProtectClock forbids reading too.
    """
    try:
        touched = mark.stat().st_mtime
    except OSError:
        return False
    return -1 <= now - touched <= 2 * POLL


def said_by(file: Path) -> str:
    """The one word in a file; empty when it cannot be read."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def kept_by_rtc(now: float, folder: Path = RTCS) -> bool:
    """Whether a real-time clock says the same time as the wall clock (Unix s).

    One whose battery is missing starts at its own beginning when the power comes back, and so
    disagrees. A Raspberry Pi 5 always has one; where its driver shows the battery's voltage, an
    empty battery does not count either.
    """
    return any(holds(device, now) for device in sorted(folder.glob("rtc*")))


def holds(device: Path, now: float) -> bool:
    """Whether one real-time clock has kept the time (rtc in sysfs: `since_epoch`, Unix s)."""
    voltage = said_by(device / "battery_voltage")
    if voltage.isdigit() and int(voltage) < CHARGED:
        return False
    said = said_by(device / "since_epoch")
    return said.isdigit() and abs(int(said) - now) <= AGREES
