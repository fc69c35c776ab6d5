"""The time of the station, and whether it is to be believed: the one rule for all services.

The wall clock is never believed on one reading. Its distance from CLOCK_BOOTTIME, which nobody can
set, is believed once somebody vouches for it (a time server, a real-time clock, the owner), and
kept when the wall clock jumps away from it: until the new time is vouched for and has lasted, the
station counts on by itself. docs/architecture.md, "Time".
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import clock_note, kernel_clock
from .clock_note import Note
from .jump import day, distance
from .kernel_clock import Evidence, boot_id, boottime
from .messages import BootTime, ClockState, Timed
from .settings import Clock as Config

log = logging.getLogger(__name__)

FILE = "clock.json"
"""In the state folder."""
EARLIEST = 1_767_225_600.0
"""2026-01-01 (Unix s): this software is younger, so an earlier time is wrong."""
STEP = 2.0
"""Seconds between two readings that make a jump; less is followed, as time servers slew."""
LEAP = 86_400.0
"""Seconds after the newest known time from which on a start needs somebody who vouches for it."""
SAVE = 3600.0
"""Seconds between two notes of the time on the disk."""
SAID = 600.0
"""Seconds for which a jump that was believed is still shown."""


@dataclass
class Pending:
    """A time that is not believed yet: wall clock minus boot seconds, since when it is so."""

    offset: float
    since: float


@dataclass
class Jump:
    """A jump that was believed: in words, to be said until then (boot seconds)."""

    words: str
    until: float


class WallClock:
    """Unix time that never jumps without a reason; `sample` is to be called each second.

    Before `begin` it is the plain wall clock, and taken as known.
    """

    def __init__(self) -> None:
        self.state: ClockState = "known"
        self.on_jump: list[Callable[[float], None]] = []
        """Told the seconds by which the believed time has changed at once."""
        self._config = Config()
        self._file: Path | None = None
        self._offset: float | None = None
        self._pending: Pending | None = None
        self._floor = 0.0
        """The newest time that is known to have been (Unix s)."""
        self._newest = 0.0
        """The same, or one that nobody vouched for."""
        self._began = boottime()
        self._waited = False
        """Whether the station has run without a time, so that it is said when there is one."""
        self._noted = 0.0, 0.0
        self._restored = False
        self._seen = False
        self._doubted = False
        """Whether anything of this boot was ever marked as having no known time."""
        self._expire_from = 0.0
        self._saved = self._began
        self._jump: Jump | None = None

    def begin(self, config: Config, file: Path, *, keeps: bool) -> None:
        """Judge from now on. `file` has what was known; `keeps`: write it too."""
        self._config = config
        self.state = "unset"
        self._restore(file)
        self._file = file if keeps else None
        self.sample()

    def now(self) -> float:
        """Unix time (s): the wall clock, or what the station counts while that is doubtful."""
        wall = time.time()
        if self._offset is None:
            return wall
        own = boottime() + self._offset
        return wall if abs(wall - own) < STEP else own

    def offset(self) -> float:
        """What to add to boot seconds to get Unix seconds."""
        return self.now() - boottime()

    def least(self) -> float:
        """Unix time (s) that it is by now at least, for what expires.

        While the time is not known it counts on from the newest that was: nothing expires by a
        jump, and nothing that has expired comes back by one, up to an hour of the last notes.
        """
        if self.state == "unset":
            return max(EARLIEST, self._newest) + boottime() - self._began
        return self.now()

    def may_expire(self) -> bool:
        """Whether something may be deleted for its age: the time is known and has lasted."""
        lasted = boottime() >= self._expire_from
        return self.state != "unset" and self._pending is None and lasted

    def saw(self, known: float, newest: float) -> None:
        """At the start: what is stored ends at these Unix times (s), so it is that late by now.

        `newest` may be one that nobody vouched for. What was believed before this was heard is
        judged again.
        """
        if self._seen or self._restored:
            return
        self._seen = True
        self._floor = max(self._noted[0], known)
        self._newest = max(self._noted[1], self._floor, newest)
        self._offset, self.state = None, "unset"
        self.sample()

    def mark(self, timestamp: float) -> BootTime | None:
        """What is said besides a time (Unix s by `now`) while that is not known."""
        if self.state == "known":
            return None
        self._doubted = True
        return BootTime(
            boot=boot_id(), boottime=max(0.0, timestamp - self.offset()), state=self.state
        )

    def announcement(self) -> BootTime | None:
        """What a status says, so that readings of this boot can be given their time."""
        if self.state == "known" and not self._doubted:
            return None
        return BootTime(boot=boot_id(), boottime=boottime(), state=self.state)

    def sample(self) -> None:
        """Look at the clock."""
        wall, boot = time.time(), boottime()
        offset, evidence = wall - boot, self._evidence(wall)
        if self._offset is not None and abs(offset - self._offset) < STEP:
            self._follow(offset, evidence)
            return
        pending = self._pending
        if pending is None or abs(offset - pending.offset) >= STEP:
            self._pending = pending = Pending(offset, boot)
            self._jump = None
        patience = self._patience(evidence, wall, pending.since)
        if patience is not None and boot - pending.since >= patience:
            self._believe(pending, wall, boot, evidence)
        elif self._offset is None:
            self._waited = True

    def close(self) -> None:
        """Note the time, for the next start."""
        if self.state != "unset":
            self._save(boottime())

    def problem(self) -> str | None:
        """What is wrong with the clock, in words for the status; None when nothing is.

        The words stay the same while nothing new happens, since each change of them is logged.
        """
        pending = self._pending
        if self.state == "unset":
            return f"this station's clock is {self._why(pending)}; {REMEDY}"
        if pending and self._offset is not None:
            jumped = distance(pending.offset - self._offset)
            real = pending.since + self._offset
            return f"the clock jumped by {jumped} at {day(real)}: the station goes on without it"
        if self._jump and boottime() < self._jump.until:
            return self._jump.words
        return None

    def _why(self, pending: Pending | None) -> str:
        wall = time.time() if pending is None else pending.since + pending.offset
        says = f"it said {day(wall)}"
        if wall < EARLIEST:
            return f"not set yet: {says}"
        if wall < self._floor - STEP:
            return f"wrong: {says}, before the newest stored time, {day(self._floor)}"
        if self._leaps(wall):
            ahead = distance(wall - self._newest)
            return f"not confirmed: {says}, {ahead} from the newest stored time"
        return f"not confirmed yet: {says}"

    def _leaps(self, wall: float) -> bool:
        return 0 < self._newest < wall - LEAP

    def _evidence(self, wall: float) -> Evidence | None:
        stand_in = self._config.kernel
        if kernel_clock.synchronised(stand_in):
            return "kernel"
        if self._config.trusted:
            return "setting"
        return "rtc" if stand_in is None and kernel_clock.kept_by_rtc(wall) else None

    def _follow(self, offset: float, evidence: Evidence | None) -> None:
        """The wall clock goes on as believed."""
        boot = boottime()
        self._offset, self._pending = offset, None
        self._newest = max(self._newest, boot + offset)
        if self.state == "known":
            self._floor = max(self._floor, boot + offset)
        elif evidence:
            log.info("the clock is confirmed by the %s: %s", SOURCES[evidence], day(self.now()))
            self.state = "known"
            self._save(boot)
        if boot - self._saved >= SAVE:
            self._save(boot)

    def _patience(self, evidence: Evidence | None, wall: float, since: float) -> float | None:
        """Seconds that a new time must have lasted to be believed; None while it must not be."""
        if wall < EARLIEST:
            return None
        behind = wall < self._floor - STEP
        if evidence == "kernel":
            return self._config.settle_synchronised if behind or self.state == "known" else 0.0
        if evidence:
            return self._config.settle if behind or self._offset is not None else 0.0
        if behind or self._leaps(wall) or self.state == "known":
            return None
        return self._config.settle - (since if self._offset is None else 0.0)

    def _believe(
        self, pending: Pending, wall: float, boot: float, evidence: Evidence | None
    ) -> None:
        """From now on this is the time."""
        before, self._offset, self._pending = self._offset, pending.offset, None
        self.state = "known" if evidence else "unconfirmed"
        jumped = 0.0 if before is None else self._offset - before
        if jumped:
            words = f"the clock jumped by {distance(jumped)}: it is {day(wall)} now"
            self._jump = Jump(words, boot + SAID)
        elif self._waited:
            log.info("the clock is set: %s", day(wall))
        self._waited = False
        if self._leaps(wall):
            self._expire_from = boot + self._config.settle_expiry
            log.warning(
                "it is %s, %s from the newest stored time: nothing is deleted for its age until "
                "the clock has been steady for %.0f s",
                *(day(wall), distance(wall - self._newest), self._config.settle_expiry),
            )
        self._newest = wall
        self._floor = wall if evidence else self._floor
        self._save(boot)
        for tell in self.on_jump if jumped else ():
            tell(jumped)

    def _restore(self, file: Path) -> None:
        """What the last process noted: the newest known time, and the offset of this boot."""
        if (noted := clock_note.read(file)) is None:
            return
        self._floor = noted.known
        self._newest = max(self._floor, noted.newest)
        self._noted = self._floor, self._newest
        there = abs(time.time() - boottime() - noted.offset) < STEP
        if noted.boot == boot_id() != "" and (there or noted.state == "known"):
            self._offset, self.state = noted.offset, noted.state
            self._doubted, self._restored = noted.doubted, True

    def _save(self, boot: float) -> None:
        self._saved = boot
        if self._file is None or self._offset is None:
            return
        note = Note(
            boot=boot_id(),
            offset=self._offset,
            state=self.state,
            doubted=self._doubted,
            known=self._floor,
            newest=self._newest,
        )
        clock_note.write(self._file, note)


SOURCES = {"kernel": "time server", "rtc": "real-time clock", "setting": "setting clock.trusted"}
REMEDY = (
    "what is measured gets its time once a time server, a real-time clock or "
    "clock.trusted = true confirms it"
)

CLOCK = WallClock()
"""This process's."""


def now() -> float:
    """Unix time (s), as the station believes it: use it in place of time.time()."""
    return CLOCK.now()


def offset() -> float:
    """What to add to boot seconds to get Unix seconds, now."""
    return CLOCK.offset()


def mark(message: Timed) -> BootTime | None:
    """What a message lacks while its time is not known."""
    timestamp: float | None = getattr(message, "timestamp", None)
    return None if message.boot_time or timestamp is None else CLOCK.mark(timestamp)
