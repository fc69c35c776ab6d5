"""Readings whose sender had no time to be believed: kept by boot until it is known.

`unset` ones stay apart, in series that have a boot, until the offset of that boot is heard of.
`unconfirmed` ones are kept at the time that they say, with a note of it, and moved if it was wrong.
"""

import sqlite3
from typing import NamedTuple

from bus import wall_clock
from bus.kernel_clock import boot_id
from bus.messages import BootTime
from bus.points import Point

TABLES = (
    """
CREATE TABLE IF NOT EXISTS boots (boot TEXT PRIMARY KEY, offset INTEGER NOT NULL) STRICT
""",
    """
CREATE TABLE IF NOT EXISTS unconfirmed (
    station TEXT NOT NULL,
    boot TEXT NOT NULL,
    offset INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (station, boot, offset)
) STRICT
""",
)
"""`offset` is Unix time minus CLOCK_BOOTTIME, all times are ms. Between `first` and `last` what
there is of a station has its time by an offset that nobody vouched for."""
BOOT = "boot"
"""The tag of series whose readings have no Unix time yet; no topic has a level of that name."""
SAME = 2000
"""ms by which two offsets may differ and mean the same time."""
EXACT = 50
"""ms within which what a reading says of its time is taken as it is."""


class Span(NamedTuple):
    """Which readings of a station have a time that nobody vouched for; ms."""

    station: str
    boot: str
    offset: int
    first: int
    last: int


class Boots:
    """What is known of boots, and which readings have a time of that kind."""

    def __init__(self) -> None:
        self.offsets: dict[str, int] = {}
        """Boot → Unix time minus CLOCK_BOOTTIME (ms), of those for which that is known."""
        self.spans: list[Span] = []
        self._changed = False

    def load(self, database: sqlite3.Connection) -> None:
        """What the file knows."""
        self.offsets = dict(database.execute("SELECT boot, offset FROM boots"))
        self.spans = [Span(*row) for row in database.execute("SELECT * FROM unconfirmed")]
        self._changed = False

    def save(self, database: sqlite3.Connection) -> None:
        """Write it, in a transaction of the caller's."""
        if not self._changed:
            return
        database.execute("DELETE FROM unconfirmed")
        database.executemany("INSERT INTO unconfirmed VALUES (?, ?, ?, ?, ?)", self.spans)
        database.executemany("INSERT OR REPLACE INTO boots VALUES (?, ?)", self.offsets.items())
        self._changed = False

    def begin(self) -> int | None:
        """The first time (ms) that nobody vouched for; None when there is none."""
        return min((span.first for span in self.spans), default=None)

    def learn(self, boot: str, offset: int) -> None:
        """Somebody vouches for this offset (ms)."""
        known = self.offsets.get(boot)
        if known is None or abs(known - offset) >= SAME:
            self.offsets[boot] = offset
            self._changed = True

    def settled(self, boot: str) -> None:
        """All readings of a boot have their time."""
        self.spans = [span for span in self.spans if span.boot != boot]
        self._changed = True

    def place(self, point: Point, about: BootTime | None) -> Point:
        """A reading at its time; or, while that is not known, in the series of its boot."""
        if about is None:
            return point
        since_boot = round(about.boottime * 1000)
        if about.state == "known":
            self.learn(about.boot, point.moment - since_boot)
            return point
        offset = self._offset(point, about, since_boot)
        if offset is None:
            return point._replace(tags={**point.tags, BOOT: about.boot}, moment=since_boot)
        moment = since_boot + offset
        exact = abs(moment - point.moment) <= EXACT
        return point if exact else point._replace(moment=moment)

    def _offset(self, point: Point, about: BootTime, since_boot: int) -> int | None:
        if about.boot == boot_id():
            self.ask()
        if (known := self.offsets.get(about.boot)) is not None:
            return known
        if about.boot == boot_id():
            if wall_clock.CLOCK.state != "unconfirmed":
                return None
            offset = round(wall_clock.offset() * 1000)
        elif about.state == "unconfirmed":
            offset = point.moment - since_boot
        else:
            return None
        return self._note(point.tags["station"], about.boot, offset, since_boot)

    def ask(self) -> None:
        """What this machine's own clock knows."""
        if wall_clock.CLOCK.state == "known":
            self.learn(boot_id(), round(wall_clock.offset() * 1000))

    def _note(self, station: str, boot: str, offset: int, since_boot: int) -> int:
        for number, span in enumerate(self.spans):
            if span[:2] == (station, boot) and abs(span.offset - offset) < SAME:
                moment = since_boot + span.offset
                if not span.first <= moment - EXACT < moment + EXACT <= span.last:
                    first, last = min(span.first, moment - EXACT), max(span.last, moment + EXACT)
                    self.spans[number] = span._replace(first=first, last=last)
                    self._changed = True
                return span.offset
        moment = since_boot + offset
        self.spans.append(Span(station, boot, offset, moment - EXACT, moment + EXACT))
        self._changed = True
        return offset
