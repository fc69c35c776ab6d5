"""How often one person may ask, and who has broken the rules too often."""

import logging
import math
from time import monotonic

from fastapi import HTTPException

log = logging.getLogger(__name__)

MOST = 10_000
"""Askers that are remembered; of a full bucket nothing need be known."""
OFFENCES = 10
"""Connections closed for a breach of the rules, within `WITHIN`, after which no more are taken."""
WITHIN = 60.0
REFUSED = 30.0
"""Seconds for which a repeated offender is refused."""


class Bucket:
    """A token bucket: `burst` tokens at most, `rate` new ones a second."""

    __slots__ = ("_burst", "_rate", "_since", "_tokens")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = self._tokens = float(burst)
        self._since = monotonic()

    def take(self, cost: float = 1.0) -> float:
        """Take tokens: 0, or the seconds until there are enough, and then none is taken."""
        if seconds := self.lacks(cost):
            return seconds
        self._tokens -= cost
        return 0.0

    def lacks(self, cost: float = 1.0) -> float:
        """Seconds until there are so many tokens; 0 when there are."""
        now = monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._since) * self._rate)
        self._since = now
        return max(0.0, (cost - self._tokens) / self._rate)

    def skip(self) -> None:
        """Let the time since the last look bring no tokens."""
        self._since = monotonic()

    def give_back(self, cost: float = 1.0) -> None:
        """Return tokens that were taken in vain."""
        self._tokens = min(self._burst, self._tokens + cost)

    @property
    def used(self) -> float:
        """The share of the tokens that is missing, as of the last look: 0 to 1."""
        return 1 - self._tokens / self._burst


class Limit:
    """A token bucket for each asker: `rate` a second, `burst` at once."""

    def __init__(self, rate: float, burst: int, what: str) -> None:
        self._rate = rate
        self._burst = burst
        self._what = what
        self._buckets: dict[str, Bucket] = {}

    def take(self, asker: str) -> None:
        """Count one request; raises HTTPException 429 with the time to wait."""
        if not self.spend(asker):
            self.check(asker)

    def spend(self, asker: str) -> bool:
        """Count one request; False when there were too many already."""
        return not self.bucket(asker).take()

    def check(self, asker: str) -> None:
        """Raises HTTPException 429 with the time to wait when the next request is one too many."""
        if (known := self._buckets.get(asker)) and (seconds := known.lacks()):
            raise too_many(self._what, seconds)

    def is_empty(self, asker: str) -> bool:
        """Whether the next request is one too many."""
        known = self._buckets.get(asker)
        return known is not None and known.lacks() > 0

    def bucket(self, asker: str) -> Bucket:
        """The bucket of an asker; the one that was longest without a request is forgotten."""
        bucket = self._buckets.pop(asker, None) or Bucket(self._rate, self._burst)
        self._buckets[asker] = bucket
        if len(self._buckets) > MOST:
            self._buckets.pop(next(iter(self._buckets)))
        return bucket


class Offenders:
    """Counts breaches of the rules, and refuses for a while whoever commits many."""

    def __init__(self) -> None:
        self._offences: Limit = Limit(OFFENCES / WITHIN, OFFENCES - 1, "breaches of the rules")
        self._until: dict[str, float] = {}

    def note(self, who: str, why: str) -> None:
        """Count one breach."""
        if self._offences.spend(who) or self._left(who) > 0:
            return
        self._until[who] = monotonic() + REFUSED
        if len(self._until) > MOST:
            self._until.pop(next(iter(self._until)))
        log.warning(
            "%s: refused for %g s: %d connections broke the rules, the last: %s",
            *(who, REFUSED, OFFENCES, why),
        )

    def check(self, who: str) -> None:
        """Raises HTTPException 429 while somebody is refused."""
        if (left := self._left(who)) > 0:
            raise too_many("breaches of the rules", left)
        self._until.pop(who, None)

    def _left(self, who: str) -> float:
        return self._until.get(who, 0.0) - monotonic()


def too_many(what: str, seconds: float) -> HTTPException:
    """429 with the time to wait, in whole seconds."""
    wait = max(1, math.ceil(seconds))
    return HTTPException(429, f"too many {what}: wait {wait} s", headers={"Retry-After": str(wait)})
