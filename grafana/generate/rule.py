"""One alert rule of Grafana: what it asks, when that is wrong, and what it says."""

from typing import Any, NamedTuple

from flux import SOURCE, Target
from grafana_foundation_sdk.builders import alerting, expr
from grafana_foundation_sdk.models.alerting import RelativeTimeRange
from grafana_foundation_sdk.models.dashboard import DataSourceRef

EXPRESSION = DataSourceRef(type_val="__expr__", uid="__expr__")
WHERE = "at {{ .Labels.station }}"
VALUE = '{{ printf "%.1f" (index .Values "B").Value }}'
"""The value that was judged (Grafana's templates for annotations)."""

Evaluator = tuple[str, list[float]]
"""A kind of Grafana's threshold expression, and its bounds: `("gt", [28.0])`."""


class Rule(NamedTuple):
    """One rule: a query with one value for each series, and when that value is wrong."""

    uid: str
    title: str
    severity: str
    flux: str
    fires: Evaluator
    summary: str
    panel: tuple[str, int]
    """Dashboard and panel that show the same; messages link to it."""
    recovers: Evaluator | None = None
    """When a firing alert ends; None = as soon as `fires` does not hold (no hysteresis)."""
    seconds: int = 300
    """The window of the query."""
    hold: str = "2m"
    """How long it must be wrong."""
    keep: str = "0s"
    """How long it must be right again before the alert ends (Grafana 12.0 or later)."""
    no_data: str = "OK"
    """State while the query returns nothing."""
    error: str = "KeepLast"
    """State while InfluxDB does not answer: one rule says so, all others keep their state."""


def entry(rule: Rule) -> dict[str, Any]:
    """The rule as Grafana's file provisioning reads it.

    A is the query, B the last value of each series, C whether that is wrong.
    """
    window = RelativeTimeRange(from_val=rule.seconds, to=0)
    reduce = expr.TypeReduce().ref_id("B").datasource(EXPRESSION).expression("A").reducer("last")
    reduce = reduce.settings(expr.ExprTypeReduceSettings().mode("dropNN"))
    threshold = expr.TypeThreshold().ref_id("C").datasource(EXPRESSION).expression("B")
    board, panel = rule.panel
    built = (
        alerting.Rule(rule.title)
        .uid(rule.uid)
        .condition("C")
        .with_query(query("A", SOURCE, Target("A", rule.flux), window))
        .with_query(query("B", EXPRESSION, reduce, window))
        .with_query(query("C", EXPRESSION, threshold.conditions([condition(rule)]), window))
        .for_val(rule.hold)
        .labels({"severity": rule.severity})
        .annotations(
            {"summary": rule.summary, "__dashboardUid__": board, "__panelId__": str(panel)}
        )
        .no_data_state(rule.no_data)
        .exec_err_state(rule.error)
        .build()
        .to_json()
    )
    kept = {k: v for k, v in built.items() if k not in ("folderUID", "orgID", "ruleGroup")}
    return kept | {"keepFiringFor": rule.keep, "dashboardUid": board, "panelId": panel}


def condition(rule: Rule) -> Any:
    """The threshold; with `recovers` it has hysteresis."""
    kind, bounds = rule.fires
    fires = expr.ExprTypeThresholdConditionsEvaluator().type(kind).params(bounds)
    found = expr.ExprTypeThresholdConditions().evaluator(fires)
    if rule.recovers is None:
        return found
    kind, bounds = rule.recovers
    ends = expr.ExprTypeThresholdConditionsUnloadEvaluator().type(kind).params(bounds)
    return found.unload_evaluator(ends)


def query(ref: str, source: DataSourceRef, model: Any, window: RelativeTimeRange) -> alerting.Query:
    """One step."""
    return alerting.Query(ref).datasource_uid(source.uid).model(model).relative_time_range(window)
