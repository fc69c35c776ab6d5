"""When a picture or a sound was captured, in the station's time (CLOCK_BOOTTIME)."""

import time

from media.clock import boottime

from .timeline import Timeline


class ArrivalClock:
    """Follows the source's own timestamps, laid on the arrivals of those that came quickest.

    So a burst keeps the rhythm in which it was filmed, and nothing lies in the future.
    """

    def __init__(self) -> None:
        self._timeline = Timeline(timed=True)

    def capture(self, pts: float, arrival: float) -> float:
        """pts: seconds of the source's clock; arrival: boot seconds."""
        return self._timeline.capture(self._timeline.observe(pts, arrival), arrival)


class KernelClock:
    """Timestamps of the kernel's camera drivers: CLOCK_MONOTONIC, taken when the sensor was read.

    Some webcams give nonsense; what does not lie within the last two seconds is not believed, and
    `believed` says so.
    """

    def __init__(self) -> None:
        self.believed = True
        self._arrivals = ArrivalClock()

    def capture(self, pts: float, arrival: float) -> float:
        """pts: seconds of CLOCK_MONOTONIC; arrival: boot seconds."""
        taken = pts + boottime() - time.monotonic()
        self.believed = -0.005 < arrival - taken < 2
        return min(taken, arrival) if self.believed else self._arrivals.capture(pts, arrival)


class SampleClock:
    """Slaves a sound card's count of samples to the station's clock.

    Time advances by 20 ms a packet, which is what the decoder plays. The quickest arrival of every
    `window` seconds shows how far the card has drifted (a quartz is wrong by up to 100 ppm, 8 s a
    day); that is made good over the following window, a few samples a packet, which nobody hears.
    Samples that were lost show as a leap above `leap` seconds, and the count jumps behind it.
    """

    def __init__(self, packet: float = 0.02, window: float = 10.0, leap: float = 0.1) -> None:
        self._packet = packet
        self._window = window
        self._leap = leap
        self._next = float("inf")
        self._until = 0.0
        self._least = 0.0
        self._step = 0.0

    def capture(self, arrival: float) -> float:
        """When the first sample of the packet that arrives now was heard (boot seconds)."""
        heard = arrival - self._packet
        if heard < self._next - self._leap:
            self._restart(heard)
        self._least = min(self._least, heard - self._next)
        if arrival >= self._until:
            self._correct(arrival)
        now = self._next
        self._next += self._packet + self._step
        return now

    def _restart(self, heard: float) -> None:
        self._next = heard
        self._begin_window(heard)
        self._step = 0.0

    def _begin_window(self, now: float) -> None:
        self._until = now + self._window
        self._least = float("inf")

    def _correct(self, arrival: float) -> None:
        if self._least > self._leap:
            self._restart(arrival - self._packet)
            return
        self._step = self._least * self._packet / self._window
        self._begin_window(arrival)
