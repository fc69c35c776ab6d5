"""Grafana's dashboards against the contract, and against the list of what they must show."""

import itertools
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from bus.limits import LIMITS, Limit
from bus.messages import iaq_class
from bus.points import (
    BROKER,
    BROKER_STATISTICS,
    LONG_BUCKET,
    MEASUREMENTS,
    ORGANISATION,
    RAW_BUCKET,
    STATISTICS,
    WINDOW,
)
from flux_text import named

FOLDER = Path("grafana")
BOARDS = ("station", "operation", "years")
KEPT = {kept.name: kept for kept in MEASUREMENTS.values()}

PANELS = {
    **{201: "gauge", 202: "gauge", 203: "stat", 204: "stat", 205: "gauge", 206: "gauge"},
    **{301: "timeseries", 302: "timeseries", 303: "timeseries", 304: "timeseries"},
    **{305: "timeseries", 306: "row", 307: "timeseries"},
    **{401: "bargauge", 402: "bargauge", 403: "bargauge", 404: "bargauge"},
    **{501: "gauge", 502: "gauge", 503: "gauge", 504: "gauge", 505: "text", 506: "alertlist"},
}
READINGS = {
    "sensors/bme680/all:temperature": (201, 301),
    "sensors/bme680/all:humidity": (202, 302),
    "sensors/bme680/all:iaq": (203, 303),
    "sensors/bme680/all:co2_equivalent": (206,),
    "sensors/bme680/all:pressure": (305,),
    "audio/level:level_db": (205, 304),
    "sensors/cpu/temperature:cpu_temp": (404,),
    "system/stats:cpu_percent": (401,),
    "system/stats:memory_percent": (402,),
    "system/stats:disk_percent": (403,),
}
"""Metrics with limits → the panels that show them."""
ORDER = {"good": "green", "warning": "orange", "bad": "red"}

UNITS = {"s": 1, "m": 60}

Panel = dict[str, Any]


def board(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (FOLDER / "dashboards" / f"{name}.json").read_text(encoding="utf-8")
    )
    return found


def panels(name: str) -> list[Panel]:
    """Every panel, those within rows too."""
    shown: list[Panel] = board(name)["panels"]
    return [*shown, *(inner for panel in shown for inner in panel.get("panels", []))]


def panel(number: int) -> Panel:
    (found,) = (one for one in panels("station") if one["id"] == number)
    return found


def queries() -> Iterator[tuple[str, str]]:
    """`station 201` and the query, for each target of each panel."""
    for name in BOARDS:
        for one in panels(name):
            for target in one.get("targets", []):
                yield f"{name} {one['id']} {target['refId']}", target["query"]


def steps(one: Panel) -> list[tuple[float | None, str]]:
    found = one["fieldConfig"]["defaults"]["thresholds"]["steps"]
    return [(step["value"], step["color"]) for step in found]


def colour(one: Panel, value: float) -> str:
    """What Grafana shows: the colour of the last step that the value reaches."""
    reached = [name for bound, name in steps(one) if bound is None or value >= bound]
    return reached[-1]


def test_the_files_are_fresh(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "grafana/generate", str(tmp_path)], check=True)

    made = sorted(file.relative_to(tmp_path) for file in tmp_path.rglob("*.json"))
    assert made == sorted(file.relative_to(FOLDER) for file in FOLDER.rglob("*.json"))
    for file in made:
        shipped = (FOLDER / file).read_text(encoding="utf-8")
        assert shipped == (tmp_path / file).read_text(encoding="utf-8"), "stale: make dashboards"


@pytest.mark.parametrize(("place", "flux"), [pytest.param(*q, id=q[0]) for q in queries()])
def test_what_a_query_asks_for_exists(place: str, flux: str) -> None:
    asked = named(flux)

    assert asked.buckets == {LONG_BUCKET if place.startswith("years") else RAW_BUCKET}
    (measurement,) = asked.measurements
    if measurement == BROKER:
        assert asked.fields == {"value"}
        assert asked.tags == {"name", "_start", "_stop"}
        assert set(re.findall(r'r\.name == "([^"]+)"', flux)) <= set(BROKER_STATISTICS)
        return
    kept = KEPT[measurement]
    assert asked.fields and asked.fields <= set(kept.fields)
    assert asked.tags <= {*kept.tags, *kept.fields}
    assert 'r.station == "${station}"' in flux
    assert set(re.findall(r'r\.statistic == "([^"]+)"', flux)) <= set(STATISTICS)


@pytest.mark.parametrize("name", BOARDS)
def test_no_two_panels_overlap(name: str) -> None:
    places = [(one["id"], one["gridPos"]) for one in panels(name)]

    assert all(place["x"] + place["w"] <= 24 for _, place in places)
    for (first, a), (second, b) in itertools.combinations(places, 2):
        apart = (
            a["x"] + a["w"] <= b["x"]
            or b["x"] + b["w"] <= a["x"]
            or a["y"] + a["h"] <= b["y"]
            or b["y"] + b["h"] <= a["y"]
        )
        assert apart, f"panels {first} and {second}"


@pytest.mark.parametrize("name", BOARDS)
def test_numbers_are_unique_and_the_source_is_the_provisioned_one(name: str) -> None:
    numbers = [one["id"] for one in panels(name)]
    provisioned = yaml.safe_load(
        (FOLDER / "provisioning/datasources/influxdb.yaml").read_text(encoding="utf-8")
    )
    (source,) = provisioned["datasources"]

    assert len(numbers) == len(set(numbers))
    assert source["jsonData"]["organization"] == ORGANISATION
    assert source["jsonData"]["defaultBucket"] == RAW_BUCKET
    used = {
        (target["datasource"]["type"], target["datasource"]["uid"])
        for one in panels(name)
        for target in one.get("targets", [])
    }
    assert used == {(source["type"], source["uid"])}


@pytest.mark.parametrize("name", BOARDS)
def test_a_gap_is_seen_and_is_one(name: str) -> None:
    drawn = [one for one in panels(name) if one["type"] in ("timeseries", "state-timeline")]

    assert drawn
    for one in drawn:
        least = int(one["interval"][:-1]) * UNITS[one["interval"][-1]]
        for flux in (target["query"] for target in one["targets"]):
            assert "every: v.windowPeriod" in flux and "createEmpty: true" in flux
            kept = [KEPT[m] for m in named(flux).measurements if m != BROKER]
            every = [3 * (each.topic.every or 0) for each in kept]
            assert least >= (WINDOW if name == "years" else max(every, default=0))
    assert not any(
        one["fieldConfig"]["defaults"].get("custom", {}).get("spanNulls") for one in drawn
    )


def test_every_panel_of_the_old_dashboard_is_there() -> None:
    assert {number: panel(number)["type"] for number in PANELS} == PANELS


def test_alerts_are_shown_below_the_key_metrics() -> None:
    key = [panel(number)["gridPos"] for number in range(201, 207)]

    assert panel(506)["gridPos"]["y"] == max(place["y"] + place["h"] for place in key)
    assert panel(506)["gridPos"]["y"] < panel(307)["gridPos"]["y"]


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.field)
def test_limits_are_those_of_the_page(limit: Limit) -> None:
    bounds = [b for b in limit[2:] if isinstance(b, int | float)]
    values = {b + d for b in bounds for d in (-0.5, 0.5)}

    for number in READINGS[limit.field]:
        shown = {value: colour(panel(number), value) for value in values}
        assert shown == {value: ORDER[limit.judge(value)] for value in values}
        assert sorted(b for b, _ in steps(panel(number)) if b is not None) == sorted(bounds)


def test_gauges_show_their_thresholds() -> None:
    gauges = [one for one in panels("station") if one["type"] == "gauge"]

    assert len(gauges) == 8
    assert all(one["options"]["showThresholdLabels"] for one in gauges)
    assert all(one["options"]["showThresholdMarkers"] for one in gauges)


def test_air_quality_is_called_as_the_contract_calls_it() -> None:
    ranges = [one["options"] for one in panel(203)["fieldConfig"]["defaults"]["mappings"]]

    def shown(value: float) -> str:
        (name,) = (r["result"]["text"] for r in ranges if r["from"] <= value <= r["to"])
        return str(name)

    values = [0, 25, 50, 50.5, 100, 100.5, 150, 150.5, 200, 200.5, 300, 300.5, 500]
    assert [shown(v) for v in values] == [iaq_class(v) for v in values]


def test_light_goes_from_black_to_white() -> None:
    bounds = [bound for bound, _ in steps(panel(501))]
    colours = [name for _, name in steps(panel(501))]

    assert bounds == [None, 10, 50, 100, 300, 500, 1000, 10_000]
    assert (colours[0], colours[-1]) == ("#000000", "#ffffff")
    brightness = [sum(bytes.fromhex(name[1:])) for name in colours]
    assert brightness == sorted(brightness)


def test_the_timeline_is_complete_and_says_what_is_what() -> None:
    targets = [target["query"] for target in panel(307)["targets"]]
    legends = {re.findall(r'_value: "([^"]+)"', flux)[0] for flux in targets}

    assert {"Temperature (°C)", "Humidity (%RH)", "Pressure (hPa)", "Decibels (dB)"} <= legends
    assert {"Lights (0=Off, 1=On)", "Light (lx)", "Gas resistance (kΩ)"} <= legends
    assert legends == {one["matcher"]["options"] for one in panel(307)["fieldConfig"]["overrides"]}
    (lights,) = (flux for flux in targets if "Lights (0" in flux)
    assert "if r._value >= 50.0 then 1.0 else 0.0" in lights


def test_grafana_is_told_where_to_find_all_of_it() -> None:
    provider = yaml.safe_load(
        (FOLDER / "provisioning/dashboards/beeper-keeper.yaml").read_text(encoding="utf-8")
    )["providers"][0]

    assert provider["allowUiUpdates"] is False
    assert {file.stem for file in (FOLDER / "dashboards").iterdir()} == set(BOARDS)


def test_what_is_shown_as_the_present_is_not_old() -> None:
    kinds = ("gauge", "bargauge", "stat")
    shown = [one for one in panels("station") if one["type"] in kinds]

    assert len(shown) == 14
    for one in shown:
        for target in one["targets"]:
            assert "range(start: date.sub(d: 5m, from: v.timeRangeStop)" in target["query"]
            assert 'import "date"\n' in target["query"]
        assert one["fieldConfig"]["defaults"]["noValue"] == "no data"


def test_a_figure_that_the_broker_has_not_told_lately_is_there_all_the_same() -> None:
    held = next(one for one in panels("operation") if one["id"] == 56)
    (query,) = (target["query"] for target in held["targets"])

    assert "range(start: date.sub(d: 7d, from: v.timeRangeStart)" in query
    assert "_value: 0.0" in query
    assert 'then "retained"' in query, "people do not read $SYS names"


def test_no_board_leads_to_the_readers_own_machine() -> None:
    for name in BOARDS:
        text = (FOLDER / "dashboards" / f"{name}.json").read_text(encoding="utf-8")
        assert "localhost" not in text


@pytest.mark.parametrize("name", BOARDS)
def test_the_boards_lead_to_each_other(name: str) -> None:
    (link,) = board(name)["links"]

    assert (link["type"], link["tags"]) == ("dashboards", board(name)["tags"])
    assert link["includeVars"] and link["keepTime"]


def test_the_timeline_has_two_axes_and_a_whole_legend() -> None:
    placements = [
        change["value"]
        for one in panel(307)["fieldConfig"]["overrides"]
        for change in one["properties"]
        if change["id"] == "custom.axisPlacement"
    ]

    assert sorted(set(placements) - {"hidden"}) == ["left", "right"]
    assert placements.count("hidden") == len(placements) - 2
    assert panel(307)["options"]["legend"]["placement"] == "right"
    assert panel(307)["fieldConfig"]["defaults"]["custom"]["fillOpacity"] == 0


@pytest.mark.parametrize("number", [301, 302, 303, 304, 305])
def test_an_axis_reaches_to_its_limits(number: int) -> None:
    one = panel(number)
    custom = one["fieldConfig"]["defaults"]["custom"]
    good = next(b for b, c in steps(one) if c == "green")
    above = [b for b, c in steps(one) if b is not None and (good is None or b > good)]

    assert custom.get("axisSoftMin") == good
    assert custom.get("axisSoftMax") == (above[0] if above else None)


def test_years_show_a_band() -> None:
    for one in panels("years"):
        (band,) = (o for o in one["fieldConfig"]["overrides"] if o["matcher"]["options"] == "max")
        assert {"id": "custom.fillBelowTo", "value": "min"} in band["properties"]
