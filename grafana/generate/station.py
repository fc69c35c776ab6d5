"""The station: air, light, sound, the machine. Panels 201 to 506 keep their old numbers."""

from typing import Any

import colours as k
from flux import HERE, PRESENT, column, means, newest, newest_each, select, trend
from grafana_foundation_sdk.builders import common
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import common as c
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue
from panels import (
    alerts,
    bar,
    dashboard,
    dial,
    figure,
    limited,
    lines,
    named,
    row,
    shared,
    words,
)

TEMPERATURE = "sensors/bme680/all:temperature"
HUMIDITY = "sensors/bme680/all:humidity"
PRESSURE = "sensors/bme680/all:pressure"
IAQ = "sensors/bme680/all:iaq"
CO2 = "sensors/bme680/all:co2_equivalent"
GAS = "sensors/bme680/all:gas_resistance"
SOUND = "audio/level:level_db"
LUX = "camera/{camera}/metadata:Lux"

NO_PAGE_LINK = "*Its address appears here once `[grafana] page_url` of beeper.toml names it.*"
"""`python -m station.grafana` puts a link in its place."""
FEEDS = f"""\
The cameras, live, and every reading as it comes, are on the station's page: port 8080 of its host.

{NO_PAGE_LINK}
"""


def station() -> build.Dashboard:
    """The whole dashboard."""
    board = dashboard("station", "Beeper Keeper: station", "6h", "10s")
    for part in (key_metrics, environment, trends, performance, light):
        board = part(board)
    return board


def key_metrics(board: build.Dashboard) -> build.Dashboard:
    """The newest values, and below them what is wrong."""
    return (
        row(board, 200, "KEY METRICS")
        .with_panel(alerts(507, "Alerts now", count=True))
        .with_panel(meter(201, "Temperature", TEMPERATURE, "celsius", -10, 40))
        .with_panel(meter(202, "Humidity", HUMIDITY, "percent", 0, 100))
        .with_panel(
            figure(203, "Air quality", newest(IAQ), "short", k.limit_steps(IAQ)).mappings(
                k.iaq_names()
            )
        )
        .with_panel(
            figure(
                204, "Lights", newest_light(), "short", ((None, "#334155"), (1, "#fde047"))
            ).mappings(k.on_and_off())
        )
        .with_panel(meter(205, "Audio level", SOUND, "dB", 0, 100))
        .with_panel(meter(206, "CO₂ equivalent", CO2, "ppm", 400, 2000))
        .with_panel(alerts(506, "Active alerts"))
        .with_panel(words(505, "Live feeds", FEEDS))
    )


def environment(board: build.Dashboard) -> build.Dashboard:
    """Everything on one timeline."""
    return row(board, 306, "COMPLETE ENVIRONMENTAL DATA").with_panel(timeline())


def timeline() -> Any:
    """Each line has a unit of its own; two axes are drawn, the legend says the values of all."""
    legends = {
        "Temperature (°C)": (trend(TEMPERATURE, "Temperature (°C)"), "celsius", "left"),
        "Humidity (%RH)": (trend(HUMIDITY, "Humidity (%RH)"), "percent", "right"),
        "Air quality (IAQ)": (trend(IAQ, "Air quality (IAQ)"), "short", "hidden"),
        "Pressure (hPa)": (trend(PRESSURE, "Pressure (hPa)"), "pressurehpa", "hidden"),
        "CO₂ equivalent (ppm)": (trend(CO2, "CO₂ equivalent (ppm)"), "ppm", "hidden"),
        "Gas resistance (kΩ)": (gas("Gas resistance (kΩ)"), "short", "hidden"),
        "Decibels (dB)": (trend(SOUND, "Decibels (dB)"), "dB", "hidden"),
        LIGHTS: (light_trend(LIGHTS, SWITCH), "short", "hidden"),
        "Light (lx)": (light_trend("Light (lx)"), "lux", "hidden"),
    }
    panel = lines(307, "Environment", [flux for flux, _, _ in legends.values()], "short", 24)
    for legend, (_, unit, axis) in legends.items():
        changes = {"unit": unit, "custom.axisPlacement": axis} | (BAND if legend == LIGHTS else {})
        panel = panel.override_by_name(
            legend, [DynamicConfigValue(id_val=key, value=value) for key, value in changes.items()]
        )
    legend_box = common.VizLegendOptions().display_mode(c.LegendDisplayMode.TABLE).show_legend(True)
    legend_box = legend_box.placement(c.LegendPlacement.RIGHT).calcs(["lastNotNull"])
    return panel.height(12).legend(legend_box)


LIGHTS = "Lights (0=Off, 1=On)"
BAND: dict[str, Any] = {
    "custom.lineWidth": 0,
    "custom.fillOpacity": 15,
    "custom.lineInterpolation": "stepAfter",
    "min": 0,
    "max": 1,
    "color": {"mode": "fixed", "fixedColor": "#fde047"},
}
"""The lights are the ground on which the other lines are drawn."""


def trends(board: build.Dashboard) -> build.Dashboard:
    """One reading each, with its limits."""
    board = row(board, 300, "ENVIRONMENTAL TRENDS")
    shown = (
        (301, "Temperature", TEMPERATURE, "Temperature (°C)", "celsius"),
        (302, "Humidity", HUMIDITY, "Humidity (%RH)", "percent"),
        (303, "Air quality", IAQ, "Air quality (IAQ)", "short"),
        (304, "Audio level", SOUND, "Decibels (dB)", "dB"),
        (305, "Pressure", PRESSURE, "Pressure (hPa)", "pressurehpa"),
    )
    for number, title, metric, legend, unit in shown:
        panel = lines(number, title, [trend(metric, legend)], unit)
        board = board.with_panel(limited(panel, k.limit_steps(metric)))
    return board


def performance(board: build.Dashboard) -> build.Dashboard:
    """The machine."""
    board = row(board, 400, "SYSTEM PERFORMANCE")
    shown = (
        (401, "CPU", "system/stats:cpu_percent", "percent", 100),
        (402, "Memory", "system/stats:memory_percent", "percent", 100),
        (403, "Disk", "system/stats:disk_percent", "percent", 100),
        (404, "CPU temperature", "sensors/cpu/temperature:cpu_temp", "celsius", 100),
    )
    for number, title, metric, unit, high in shown:
        board = board.with_panel(
            bar(number, title, newest(metric), unit, k.limit_steps(metric), high)
        )
    flags = ("under_voltage", "frequency_capped", "throttled_now", "soft_temp_limit")
    drawn = [trend(f"sensors/cpu/temperature:{flag}", flag.replace("_", " ")) for flag in flags]
    panel = lines(405, "Throttling (share of the time)", drawn, "percentunit", 24)
    return board.with_panel(shared(panel))


def light(board: build.Dashboard) -> build.Dashboard:
    """What the cameras' sensors say of the light."""
    board = row(board, 500, "CAMERA METADATA")
    shown = (
        (501, "Light", "Lux", "lux", k.LUX, 0, 20_000),
        (
            502,
            "Colour temperature",
            "ColourTemperature",
            "kelvin",
            k.COLOUR_TEMPERATURE,
            2000,
            8000,
        ),
        (504, "Analogue gain", "AnalogueGain", "short", k.GAIN, 1, 16),
        (503, "Exposure time", "ExposureTime", "µs", k.EXPOSURE, 0, 50_000),
    )
    for number, title, field, unit, steps, low, high in shown:
        metric = f"camera/{{camera}}/metadata:{field}"
        flux = newest_each(metric, "camera")
        panel = dial(number, title, flux, unit, steps, low, high)
        board = board.with_panel(named(panel, "camera").span(12))
    return board


def meter(number: int, title: str, metric: str, unit: str, low: float, high: float) -> Any:
    """The gauge of a reading with limits."""
    return dial(number, title, newest(metric), unit, k.limit_steps(metric), low, high)


def gas(legend: str) -> str:
    """In kΩ, to be seen beside the others."""
    return trend(GAS, legend, "map(fn: (r) => ({r with _value: r._value / 1000.0}))")


def light_trend(legend: str, change: str = "") -> str:
    """The light as the cameras see it, one line for all of them."""
    steps = [select(LUX, HERE), "group()", means(), change, column(legend)]
    return "\n  |> ".join(step for step in steps if step)


SWITCH = (
    "map(fn: (r) => ({r with _value: if not exists r._value then r._value"
    f" else if r._value >= {k.LIGHT_ON}.0 then 1.0 else 0.0}}))"
)
"""1 while the light says that the lights are on; null stays null."""


def newest_light() -> str:
    """Whether the lights are on: the mean of the last half minute that there is."""
    window = "aggregateWindow(every: 30s, fn: mean, createEmpty: false)"
    steps = (select(LUX, HERE, span=PRESENT), "group()", window, "last()", SWITCH, column("Lights"))
    return "\n  |> ".join(steps)
