"""The running number of a camera's video fragments, and when each was passed on."""

SIZE = 1024
"""Fragments that are remembered: 17 s at 60 frames a second."""
WRAP = 1 << 32
"""mfhd's sequence number has 32 bits."""


class Ledger:
    """Turns acknowledged sequence numbers into ages.

    patience: seconds after which an unacknowledged fragment is overdue. Fragments up to the number
    `overdue` were passed on longer ago than that: one comparison a viewer tells who may be behind.
    """

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self.newest = 0
        self.overdue = 0
        self._seq = 0
        self._times = [0.0] * SIZE

    def enter(self, seq: int, now: float) -> int:
        """The next fragment, passed on at `now`: its number, which only ever grows."""
        self.newest += 1
        self._seq = seq
        self._times[self.newest % SIZE] = now
        self.overdue = max(self.overdue, self.newest - SIZE)
        while self._times[(self.overdue + 1) % SIZE] < now - self.patience:
            self.overdue += 1
        return self.newest

    def number(self, seq: int) -> int | None:
        """The number of the fragment with this `seq`; None when it is none of those remembered."""
        back = (self._seq - seq) % WRAP
        return self.newest - back if back < min(SIZE, self.newest) else None

    def age(self, number: int, now: float) -> float:
        """Seconds since a fragment was passed on; at least those of the oldest remembered."""
        return now - self._times[max(number, self.newest - SIZE + 1) % SIZE]
