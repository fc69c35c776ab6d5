"""How fast one person may speak: a token bucket for each."""

MOST = 10_000
"""People whose buckets are kept; full ones are the first to go."""


class Buckets:
    """Every person may say `burst` messages at once, and regains `rate` a second."""

    def __init__(self, burst: int, rate: float) -> None:
        self._burst = burst
        self._rate = rate
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, person: str, now: float) -> float:
        """Take a token and return 0; or take none and return the seconds until there is one."""
        tokens = self._tokens(person, now)
        if tokens < 1:
            return (1 - tokens) / self._rate
        if person not in self._buckets and len(self._buckets) >= MOST:
            self._forget(now)
        self._buckets[person] = tokens - 1, now
        return 0

    def give_back(self, person: str) -> None:
        """What was taken bought nothing."""
        if person in self._buckets:
            tokens, at = self._buckets[person]
            self._buckets[person] = min(self._burst, tokens + 1), at

    def _tokens(self, person: str, now: float) -> float:
        tokens, at = self._buckets.get(person, (self._burst, now))
        return min(self._burst, tokens + (now - at) * self._rate)

    def _forget(self, now: float) -> None:
        """Drop those who have all their tokens; else whoever spoke longest ago."""
        full = [person for person in self._buckets if self._tokens(person, now) >= self._burst]
        for person in full or [min(self._buckets, key=lambda one: self._buckets[one][1])]:
            del self._buckets[person]
