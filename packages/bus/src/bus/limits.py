"""When a reading is good, a warning or bad: one place for the page, Grafana and the alerts."""

from typing import Literal, NamedTuple

State = Literal["good", "warning", "bad"]


class Limit(NamedTuple):
    """The bands of one field; a bound that does not exist is None."""

    field: str
    """Topic below `beeper/` and field, such as `sensors/bme680/all:temperature`."""
    unit: str
    bad_below: float | None = None
    warn_below: float | None = None
    warn_above: float | None = None
    bad_above: float | None = None

    def judge(self, value: float) -> State:
        """The state of one value; a value on a bound still belongs to the better side."""
        if (self.bad_below is not None and value < self.bad_below) or (
            self.bad_above is not None and value > self.bad_above
        ):
            return "bad"
        if (self.warn_below is not None and value < self.warn_below) or (
            self.warn_above is not None and value > self.warn_above
        ):
            return "warning"
        return "good"


LIMITS = (
    Limit("sensors/bme680/all:temperature", "°C", 5, 10, 28, 32),
    Limit("sensors/bme680/all:humidity", "%RH", 15, 20, 70, 80),
    Limit("sensors/bme680/all:pressure", "hPa", None, 980, 1040, None),
    Limit("sensors/bme680/all:iaq", "", None, None, 100, 200),
    Limit("sensors/bme680/all:co2_equivalent", "ppm", None, None, 1200, 1500),
    # 60 °C is the firmware's soft limit on a Pi 3B+; 80 °C is where every Pi throttles.
    Limit("sensors/cpu/temperature:cpu_temp", "°C", None, None, 60, 80),
    Limit("system/stats:cpu_percent", "%", None, None, 70, 85),
    Limit("system/stats:memory_percent", "%", None, None, 70, 85),
    Limit("system/stats:disk_percent", "%", None, None, 85, 95),
    Limit("audio/level:level_db", "dB", None, None, 70, 85),
)
