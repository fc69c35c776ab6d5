"""How often one person may ask."""

import math
from time import monotonic

from fastapi import HTTPException

MOST = 10_000
"""Askers that are remembered; of a full bucket nothing need be known."""


class Limit:
    """A token bucket for each asker: `rate` a second, `burst` at once."""

    def __init__(self, rate: float, burst: int, what: str) -> None:
        self._rate = rate
        self._burst = burst
        self._what = what
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, asker: str) -> None:
        """Count one request; raises HTTPException 429 with the time to wait."""
        if not self.spend(asker):
            self.check(asker)

    def spend(self, asker: str) -> bool:
        """Count one request; False when there were too many already."""
        tokens, now = self._tokens(asker), monotonic()
        self._buckets.pop(asker, None)
        self._buckets[asker] = (tokens - 1 if tokens >= 1 else tokens, now)
        if len(self._buckets) > MOST:
            self._buckets.pop(next(iter(self._buckets)))
        return tokens >= 1

    def check(self, asker: str) -> None:
        """Raises HTTPException 429 with the time to wait when the next request is one too many."""
        if (tokens := self._tokens(asker)) < 1:
            wait = math.ceil((1 - tokens) / self._rate)
            raise HTTPException(
                429, f"too many {self._what}: wait {wait} s", headers={"Retry-After": str(wait)}
            )

    def is_empty(self, asker: str) -> bool:
        """Whether the next request is one too many."""
        return self._tokens(asker) < 1

    def _tokens(self, asker: str) -> float:
        now = monotonic()
        tokens, since = self._buckets.get(asker, (float(self._burst), now))
        return min(self._burst, tokens + (now - since) * self._rate)
