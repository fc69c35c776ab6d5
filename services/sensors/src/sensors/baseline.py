"""The learned baseline on disk, so that a restart does not begin at nothing."""

import contextlib
import json
import logging
import os
from pathlib import Path

from bus import wall_clock
from bus.kernel_clock import boottime
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .air import Known
from .settings import Iaq

log = logging.getLogger(__name__)

NAME = "bme680-baseline.json"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Saved(BaseModel):
    """The file's content; `source` names the chip, since a baseline fits no other."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    source: str
    saved_at: float = Field(gt=0, description="Unix time (s)")
    baseline: float = Field(gt=0, description="Ω")
    warm: float = Field(ge=0, description="s")
    learned: float = Field(ge=0, description="s")
    boot: str = Field("", description="BOOT_ID when it was written; files of old have none")
    up: float | None = Field(None, ge=0, description="CLOCK_BOOTTIME when it was written (s)")
    dated: bool = Field(True, description="false when the time was not known")


def load(path: Path, source: str, now: float, iaq: Iaq) -> Known:
    """What was known when the file was written, as far as it still holds; else nothing.

    After a pause the baseline holds, but the sensor has to warm up again. A clock that was set
    hides how long the pause was, which then counts as one. So does a new boot: a Pi without
    power has no clock, and goes on at the time at which it lost it. It is too old only by a clock
    that is known, and then it is moved aside, not overwritten.
    """
    try:
        saved = Saved.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Known()
    except (ValidationError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is damaged"
        log.warning("%s cannot be used (%s): learning clean air anew", path, reason)
        return Known()
    here = saved.boot != "" and saved.boot == boot()
    age = now - saved.saved_at
    if here and saved.up is not None:
        age = boottime() - saved.up
    old = age > iaq.max_age and saved.dated and wall_clock.CLOCK.may_expire()
    if saved.source != source or old:
        why = f"{age / 86400:.0f} days ago" if old else "another sensor"
        log.info("%s is from %s: learning clean air anew", path, why)
        with contextlib.suppress(OSError):
            path.replace(path.with_suffix(".old"))
        return Known()
    heated = here and 0 <= age <= iaq.pause
    return Known(saved.baseline, saved.warm if heated else 0, saved.learned)


def save(path: Path, source: str, now: float, known: Known) -> None:
    """Replace the file at once or not at all; raises OSError."""
    content = {
        "source": source,
        "saved_at": now,
        "baseline": known.baseline,
        "warm": known.warm,
        "learned": known.learned,
        "boot": boot(),
        "up": boottime(),
        "dated": wall_clock.CLOCK.state != "unset",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def boot() -> str:
    """Which boot of the machine this is; empty where nobody says."""
    try:
        return BOOT_ID.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
