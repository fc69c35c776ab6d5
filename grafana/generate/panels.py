"""The kinds of panels that the dashboards are made of."""

from typing import Any

from colours import GOOD, Steps, thresholds
from flux import SOURCE, Target
from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    gauge,
    stat,
    statetimeline,
    table,
    text,
    timeseries,
)
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import common as c
from grafana_foundation_sdk.models import dashboard as d

LEAST = "30s"
"""The shortest window of a line: what is said every 10 s is then in each of them."""

Panel = Any
"""Any of the SDK's panel builders; they share their methods but no type."""


def titled(panel: Panel, number: int, title: str, width: int, height: int) -> Panel:
    """What every panel has."""
    return panel.id(number).title(title).datasource(SOURCE).span(width).height(height)


def reading(panel: Panel, number: int, title: str, flux: str, unit: str, steps: Steps) -> Panel:
    """A panel with one value, the last."""
    last = common.ReduceDataOptions().calcs(["lastNotNull"]).values(False)
    return (
        titled(panel, number, title, 4, 6)
        .with_target(Target("A", flux))
        .unit(unit)
        .thresholds(thresholds(steps))
        .color_scheme(build.FieldColor().mode(d.FieldColorModeId.THRESHOLDS))
        .reduce_options(last)
        .no_value("no data")
    )


def dial(
    number: int, title: str, flux: str, unit: str, steps: Steps, low: float, high: float
) -> Panel:
    """A gauge that shows its thresholds."""
    panel = gauge.Panel().show_threshold_labels(True).show_threshold_markers(True)
    return reading(panel, number, title, flux, unit, steps).min(low).max(high)


def bar(number: int, title: str, flux: str, unit: str, steps: Steps, high: float) -> Panel:
    """A bar that fills."""
    panel = bargauge.Panel().display_mode(c.BarGaugeDisplayMode.LCD)
    return reading(panel, number, title, flux, unit, steps).min(0).max(high).span(6)


def figure(number: int, title: str, flux: str, unit: str, steps: Steps) -> Panel:
    """One value as text in its colour."""
    panel = stat.Panel().color_mode(c.BigValueColorMode.BACKGROUND)
    return reading(panel, number, title, flux, unit, steps).graph_mode(c.BigValueGraphMode.NONE)


def lines(number: int, title: str, fluxes: list[str], unit: str, width: int = 12) -> Panel:
    """Lines over time; a gap stays a gap."""
    panel = titled(timeseries.Panel(), number, title, width, 8).unit(unit)
    for index, flux in enumerate(fluxes):
        panel = panel.with_target(Target(chr(ord("A") + index), flux))
    legend = common.VizLegendOptions().display_mode(c.LegendDisplayMode.TABLE)
    legend = legend.placement(c.LegendPlacement.BOTTOM).show_legend(True)
    return (
        panel.line_width(1)
        .fill_opacity(0)
        .show_points(c.VisibilityMode.NEVER)
        .span_nulls(False)
        .interval(LEAST)
        .legend(legend.calcs(["lastNotNull", "min", "max"]))
        .tooltip(common.VizTooltipOptions().mode(c.TooltipDisplayMode.MULTI))
    )


def counted(panel: Panel) -> Panel:
    """Lines of numbers of things: none of them is a line at the bottom, not in the middle."""
    return panel.min(0).axis_soft_max(1).decimals(0)


def shared(panel: Panel) -> Panel:
    """Lines of a share of the time, 0 to 1."""
    return panel.min(0).max(1)


def limited(panel: Panel, steps: Steps) -> Panel:
    """Lines with their limits drawn, and an axis that reaches to the first ones."""
    style = common.GraphThresholdsStyleConfig().mode(c.GraphThresholdsStyleMode.DASHED)
    panel = panel.thresholds(thresholds(steps)).thresholds_style(style)
    good = [index for index, (_, colour) in enumerate(steps) if colour == GOOD]
    (index,) = good
    if (low := steps[index][0]) is not None:
        panel = panel.axis_soft_min(low)
    if index + 1 < len(steps):
        panel = panel.axis_soft_max(steps[index + 1][0])
    return panel


def named(panel: Panel, tag: str) -> Panel:
    """Lines that are called by a tag."""
    return panel.display_name(f"${{__field.labels.{tag}}}")


def states(number: int, title: str, flux: str, tag: str, mappings: list[d.ValueMapping]) -> Panel:
    """What each said of itself, over time."""
    panel = titled(statetimeline.Panel(), number, title, 24, 8)
    panel = (
        panel.with_target(Target("A", flux)).mappings(mappings).merge_values(True).interval(LEAST)
    )
    return named(panel.show_value(c.VisibilityMode.AUTO), tag)


def grid(number: int, title: str, flux: str) -> Panel:
    """A table."""
    return titled(table.Panel(), number, title, 24, 9).with_target(Target("A", flux))


def words(number: int, title: str, content: str) -> Panel:
    """A text."""
    return titled(text.Panel(), number, title, 12, 6).content(content)


FIRING = {"firing": True, "pending": True, "error": True, "recovering": True}
ALERT_LIST = {
    "alertInstanceLabelFilter": "",
    "alertName": "",
    "dashboardAlerts": False,
    "groupBy": [],
    "groupMode": "default",
    "maxItems": 20,
    "showInstances": True,
    "sortOrder": 1,
    "stateFilter": {**FIRING, "noData": True, "normal": False},
}
"""What Grafana's panel `alertlist` is told; the SDK has no builder for this kind."""


def alerts(number: int, title: str, *, count: bool = False) -> Panel:
    """The alerts that are active now: their number, or each with its words."""
    options = {**ALERT_LIST, "viewMode": "stat" if count else "list"}
    every = build.DashboardLink("All rules").type(d.DashboardLinkType.LINK).url("/alerting/list")
    panel = build.Panel().type("alertlist").id(number).title(title).options(options)
    return panel.links([every]).span(24 if count else 12).height(3 if count else 8)


def dashboard(uid: str, title: str, span: str, refresh: str) -> build.Dashboard:
    """An empty one, with the choice of a station."""
    query = (
        'import "influxdata/influxdb/schema"\nschema.tagValues(bucket: "sensors", tag: "station")'
    )
    station = (
        build.QueryVariable("station")
        .label("Station")
        .datasource(SOURCE)
        .query({"query": query, "refId": "station"})
        .refresh(d.VariableRefresh.ON_DASHBOARD_LOAD)
        .current(d.VariableOption(selected=True, text="home", value="home"))
    )
    return (
        build.Dashboard(title)
        .uid(uid)
        .tags(["beeper-keeper"])
        .readonly()
        .timezone("browser")
        .time(f"now-{span}", "now")
        .refresh(refresh)
        .tooltip(d.DashboardCursorSync.CROSSHAIR)
        .with_variable(station)
        .link(
            build.DashboardLink("Beeper Keeper")
            .type(d.DashboardLinkType.DASHBOARDS)
            .tags(["beeper-keeper"])
            .include_vars(True)
            .keep_time(True)
        )
    )


def row(board: build.Dashboard, number: int, title: str) -> build.Dashboard:
    """A heading over the panels that follow."""
    return board.with_row(build.Row(title).id(number))
