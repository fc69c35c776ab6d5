"""The station: air, light, sound, the machine. Panels 201 to 506 keep their old numbers."""

from typing import Any

import colours as k
from flux import HERE, column, each, means, newest, select, trend
from grafana_foundation_sdk.builders import dashboard as build
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

FEEDS = """\
The cameras, live, and every reading as it comes: the station's page, port 8080 of its host.

- [This machine](http://localhost:8080/)
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
        .with_panel(meter(201, "Temperature", TEMPERATURE, "celsius", -10, 40))
        .with_panel(meter(202, "Humidity", HUMIDITY, "humidity", 0, 100))
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
        .with_panel(alerts(506, "Active alerts and history"))
        .with_panel(words(505, "Live feeds", FEEDS))
    )


def environment(board: build.Dashboard) -> build.Dashboard:
    """Everything on one timeline."""
    return row(board, 306, "COMPLETE ENVIRONMENTAL DATA").with_panel(timeline())


def timeline() -> Any:
    """Each line has a unit of its own; those of another size have an axis of their own."""
    legends = {
        "Temperature (°C)": (trend(TEMPERATURE, "Temperature (°C)"), "celsius", ""),
        "Humidity (%RH)": (trend(HUMIDITY, "Humidity (%RH)"), "humidity", ""),
        "Air quality (IAQ)": (trend(IAQ, "Air quality (IAQ)"), "short", ""),
        "Pressure (hPa)": (trend(PRESSURE, "Pressure (hPa)"), "pressurehpa", "right"),
        "CO₂ equivalent (ppm)": (trend(CO2, "CO₂ equivalent (ppm)"), "ppm", "right"),
        "Gas resistance (kΩ)": (gas("Gas resistance (kΩ)"), "short", "right"),
        "Decibels (dB)": (trend(SOUND, "Decibels (dB)"), "dB", ""),
        "Lights (0=Off, 1=On)": (light_trend("Lights (0=Off, 1=On)", SWITCH), "short", "hidden"),
        "Light (lx)": (light_trend("Light (lx)"), "lux", "hidden"),
    }
    panel = lines(307, "Environment", [flux for flux, _, _ in legends.values()], "short", 24)
    for legend, (_, unit, axis) in legends.items():
        changes = [DynamicConfigValue(id_val="unit", value=unit)]
        if axis:
            changes.append(DynamicConfigValue(id_val="custom.axisPlacement", value=axis))
        panel = panel.override_by_name(legend, changes)
    return panel.height(12)


def trends(board: build.Dashboard) -> build.Dashboard:
    """One reading each, with its limits."""
    board = row(board, 300, "ENVIRONMENTAL TRENDS")
    shown = (
        (301, "Temperature", TEMPERATURE, "Temperature (°C)", "celsius"),
        (302, "Humidity", HUMIDITY, "Humidity (%RH)", "humidity"),
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
    return board.with_panel(lines(405, "Throttling (share of the time)", drawn, "percentunit", 24))


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
        flux = each(metric, "camera")
        panel = dial(number, title, flux, unit, steps, low, high)
        board = board.with_panel(named(panel, "camera").span(6))
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
    steps = (select(LUX, HERE), "group()", window, "last()", SWITCH, column("Lights"))
    return "\n  |> ".join(steps)
