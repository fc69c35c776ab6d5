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
        now = monotonic()
        tokens, since = self._buckets.pop(asker, (float(self._burst), now))
        tokens = min(self._burst, tokens + (now - since) * self._rate)
        self._buckets[asker] = (tokens - 1 if tokens >= 1 else tokens, now)
        if len(self._buckets) > MOST:
            self._buckets.pop(next(iter(self._buckets)))
        if tokens < 1:
            wait = math.ceil((1 - tokens) / self._rate)
            raise HTTPException(
                429, f"too many {self._what}: wait {wait} s", headers={"Retry-After": str(wait)}
            )
