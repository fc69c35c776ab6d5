"""Requests that were refused: counted for each address, so that asking in vain has an end."""

import logging
from time import monotonic

from .limit import Limit

log = logging.getLogger(__name__)

SILENCE = 60.0
"""Seconds between two lines about the same address."""
LINES = 20
"""Lines in that time in all."""


class Refusals:
    """A token bucket for each address, of which only refused requests take."""

    def __init__(self, rate: float, burst: int) -> None:
        self._limit = Limit(rate, burst, "refused requests")
        self._said: dict[str, float] = {}

    def check(self, who: str) -> None:
        """Raises HTTPException 429 when an address has been refused too often."""
        self._limit.check(who)

    def count(self, who: str, reason: str) -> None:
        """One more; `who` is empty for a trusted proxy, which speaks for many."""
        if who:
            self._limit.spend(who)
            if self._limit.is_empty(who):
                self._say(who, reason)

    def _say(self, who: str, reason: str) -> None:
        now = monotonic()
        while self._said and now - next(iter(self._said.values())) > SILENCE:
            del self._said[next(iter(self._said))]
        if who not in self._said and len(self._said) < LINES:
            self._said[who] = now
            log.warning("%s: too many refused requests, more get 429; the last: %s", who, reason)
