"""A limited number of places, shared fairly once they become scarce.

Below `SCARCE` of them nobody is refused: a school behind one address is many people. Above it
whoever holds its share already gets no more, and when none is left the holder of most gives way,
anonymous ones first. Some are kept for operators.
"""

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

log = logging.getLogger(__name__)

SCARCE = 0.8
"""The part of the places that is taken without a question."""
RESERVE = 0.05
"""The part that only operators take."""
Rank = Literal[0, 1, 2]
"""Who gives way: the lowest first."""
ANONYMOUS: Rank = 0
SIGNED_IN: Rank = 1
OPERATOR: Rank = 2


class FullError(Exception):
    """There is no place for this holder."""


class Holder(NamedTuple):
    """Who takes places: an address as far as nobody has signed in there, else a person."""

    name: str
    rank: Rank = ANONYMOUS


class Place:
    """One place; `end` ends what it is for when somebody else needs it more."""

    __slots__ = ("end", "holder")

    def __init__(self, holder: Holder, end: Callable[[], None]) -> None:
        self.holder = holder
        self.end = end


class Places:
    """`most` places; `what` names them in the log."""

    def __init__(self, most: int, what: str) -> None:
        self.most = most
        self._what = what
        self._held: dict[Holder, dict[Place, None]] = {}
        self._taken = 0
        self._said = False

    def __len__(self) -> int:
        return self._taken

    def take(self, holder: Holder, end: Callable[[], None]) -> Place:
        """Take one; FullError when that would be unfair, or when there is none."""
        held = len(self._held.get(holder, ()))
        if self._taken >= self.most * SCARCE and held >= self._share(holder):
            self._say(holder)
            raise FullError
        kept = 0 if holder.rank == OPERATOR else int(self.most * RESERVE)
        if self._taken >= self.most - kept:
            self._say(holder)
            self._free(holder, held)
        place = Place(holder, end)
        self._held.setdefault(holder, {})[place] = None
        self._taken += 1
        return place

    def leave(self, place: Place) -> None:
        """Give one back; one that was lost is given back already."""
        held = self._held.get(place.holder, {})
        if place not in held:
            return
        del held[place]
        self._taken -= 1
        if not held:
            del self._held[place.holder]
        if self._taken < self.most * SCARCE / 2:
            self._said = False

    @contextlib.contextmanager
    def held(self, holder: Holder, end: Callable[[], None]) -> Iterator[None]:
        """One for as long as the block runs; FullError as in `take`."""
        place = self.take(holder, end)
        try:
            yield
        finally:
            self.leave(place)

    def _share(self, holder: Holder) -> int:
        holders = len(self._held.keys() | {holder})
        return max(1, self.most // (holders + 1))

    def _free(self, holder: Holder, held: int) -> None:
        """Let somebody give way: first of the lowest rank, and of these who holds most."""
        for rank in range(holder.rank + 1):
            others = [one for one in self._held if one.rank == rank and one != holder]
            largest = max(others, key=lambda one: len(self._held[one]), default=None)
            if largest and (rank < holder.rank or len(self._held[largest]) > held + 1):
                newest = next(reversed(self._held[largest]))
                self.leave(newest)
                newest.end()
                return
        raise FullError

    def _say(self, refused: Holder) -> None:
        """One line each time that places become scarce."""
        if self._said:
            return
        self._said = True
        largest = max(self._held, key=lambda one: len(self._held[one]))
        log.warning(
            "%s: %d of %d places are taken, %d by %s: shared from now on, %s had to ask",
            *(self._what, self._taken, self.most, len(self._held[largest]), largest.name),
            refused.name,
        )
