"""The long run, from the means and extremes that InfluxDB keeps for two years."""

import colours as k
from bus.points import STATISTICS, WINDOW
from flux import long_run
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue
from panels import dashboard, limited, lines

LEAST = f"{WINDOW // 60}m"

EDGE = [DynamicConfigValue(id_val="custom.lineWidth", value=0)]
BAND = [
    *EDGE,
    DynamicConfigValue(id_val="custom.fillBelowTo", value="min"),
    DynamicConfigValue(id_val="custom.fillOpacity", value=20),
]
"""Least and greatest are the edges of a band around the mean."""
SHOWN = (
    ("Temperature", "sensors/bme680/all:temperature", "celsius"),
    ("Humidity", "sensors/bme680/all:humidity", "percent"),
    ("Pressure", "sensors/bme680/all:pressure", "pressurehpa"),
    ("Air quality (IAQ)", "sensors/bme680/all:iaq", "short"),
    ("CO₂ equivalent", "sensors/bme680/all:co2_equivalent", "ppm"),
    ("Audio level", "audio/level:level_db", "dB"),
    ("CPU temperature", "sensors/cpu/temperature:cpu_temp", "celsius"),
    ("CPU", "system/stats:cpu_percent", "percent"),
    ("Memory", "system/stats:memory_percent", "percent"),
    ("Disk", "system/stats:disk_percent", "percent"),
)


def years() -> build.Dashboard:
    """The whole dashboard."""
    board = dashboard("years", "Beeper Keeper: months and years", "90d", "15m")
    for number, (title, metric, unit) in enumerate(SHOWN, 1):
        fluxes = [long_run(metric, statistic, statistic) for statistic in STATISTICS]
        panel = limited(lines(number, title, fluxes, unit).interval(LEAST), k.limit_steps(metric))
        panel = panel.override_by_name("min", EDGE).override_by_name("max", BAND)
        board = board.with_panel(panel)
    return board
