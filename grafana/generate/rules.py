"""The alert rules: the contract's limits, and whatever has gone silent, stuck or lost."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from bus.limits import LIMITS, Limit
from bus.points import RAW_BUCKET
from flux import RANGE, SOURCE, Target, kept, select
from grafana_foundation_sdk.builders import alerting, expr
from grafana_foundation_sdk.models.alerting import RelativeTimeRange
from grafana_foundation_sdk.models.dashboard import DataSourceRef

FOLDER = "Beeper Keeper"
INTERVAL = "1m"
"""Between two evaluations; no `for` is shorter."""
EXPRESSION = DataSourceRef(type_val="__expr__", uid="__expr__")
NAMES = {
    "sensors/bme680/all:temperature": "Temperature",
    "sensors/bme680/all:humidity": "Humidity",
    "sensors/bme680/all:pressure": "Air pressure",
    "sensors/bme680/all:iaq": "Air quality",
    "sensors/bme680/all:co2_equivalent": "CO₂ equivalent",
    "sensors/cpu/temperature:cpu_temp": "CPU temperature",
    "system/stats:cpu_percent": "CPU load",
    "system/stats:memory_percent": "Memory",
    "system/stats:disk_percent": "Disk",
    "audio/level:level_db": "Sound",
}
SILENT = (
    "sensors/bme680/all",
    "sensors/cpu/temperature",
    "system/stats",
    "audio/level",
    "camera/{camera}/metadata",
)
"""Topics below `beeper/` that must not fall silent once they have spoken."""
THROTTLED = ("under_voltage", "frequency_capped", "throttled_now", "soft_temp_limit")

Evaluator = tuple[str, list[float]]


class Rule(NamedTuple):
    """One rule: a query with one value for each series, and when that is wrong."""

    uid: str
    title: str
    severity: str
    flux: str
    evaluator: Evaluator
    summary: str
    seconds: int = 300
    """The window of the query."""
    hold: str = "2m"
    """For how long it must be wrong."""
    no_data: str = "OK"
    """What silence means; `silent` is the rule that looks for it."""


def provisioned() -> dict[str, Any]:
    """The file as Grafana's provisioning reads it."""
    groups = {"Limits": tuple(limit_rules()), "Health": health_rules()}
    return {
        "apiVersion": 1,
        "groups": [
            {
                "orgId": 1,
                "name": name,
                "folder": FOLDER,
                "interval": INTERVAL,
                "rules": [entry(rule) for rule in rules],
            }
            for name, rules in groups.items()
        ],
    }


def limit_rules() -> Iterator[Rule]:
    """A warning and a critical rule for each limit that has such bounds."""
    for limit in LIMITS:
        for severity, low, high in (
            ("warning", limit.warn_below, limit.warn_above),
            ("critical", limit.bad_below, limit.bad_above),
        ):
            if (evaluator := outside(low, high)) is not None:
                yield limit_rule(limit, severity, evaluator)


def limit_rule(limit: Limit, severity: str, evaluator: Evaluator) -> Rule:
    """The mean of a minute must stay within."""
    _, field = kept(limit.field)
    name = NAMES[limit.field]
    flux = "\n  |> ".join(
        (
            select(limit.field),
            "aggregateWindow(every: 1m, fn: mean, createEmpty: false)",
            'keep(columns: ["_time", "_value", "station"])',
        )
    )
    kind, bounds = evaluator
    words = {
        "gt": "above {0:g}",
        "lt": "below {0:g}",
        "outside_range": "not between {0:g} and {1:g}",
    }
    wrong = f"{words[kind].format(*bounds)} {limit.unit}".strip()
    summary = f"{name} at {{{{ .Labels.station }}}}: {VALUE} {limit.unit}, {wrong}"
    return Rule(f"{field}-{severity}", f"{name}: {severity}", severity, flux, evaluator, summary)


def outside(low: float | None, high: float | None) -> Evaluator | None:
    """Wrong below `low` or above `high`; None when there is neither."""
    if low is not None and high is not None:
        return "outside_range", [low, high]
    if high is not None:
        return "gt", [high]
    return ("lt", [low]) if low is not None else None


VALUE = '{{ printf "%.1f" (index .Values "B").Value }}'


def health_rules() -> tuple[Rule, ...]:
    """What no limit says."""
    where = "at {{ .Labels.station }}"
    return (
        Rule(
            "throttled",
            "Processor throttled",
            "warning",
            throttled(),
            ("gt", [0]),
            f"The firmware {where} reports {{{{ .Labels._field }}}}: look at power and cooling",
        ),
        Rule(
            "silent",
            "No data",
            "critical",
            silent(),
            ("gt", [60]),
            f"{{{{ .Labels._measurement }}}} {where} has said nothing for {VALUE} s",
            seconds=86_400,
            no_data="Alerting",
        ),
        Rule(
            "camera-down",
            "Camera down",
            "critical",
            camera_down(),
            ("gt", [0]),
            f"Camera {{{{ .Labels.camera }}}} {where} delivers no picture",
        ),
        Rule(
            "picture-frozen",
            "Picture frozen",
            "critical",
            frozen(),
            ("gt", [5]),
            f"The newest frame of camera {{{{ .Labels.camera }}}} {where} is {VALUE} s old",
        ),
        Rule(
            "service-lost",
            "Service lost",
            "critical",
            lost(),
            ("gt", [0]),
            f"Service {{{{ .Labels.instance }}}} {where} has died or does not answer",
            seconds=86_400,
        ),
    )


def throttled() -> str:
    """1 for each bit that was set within the window."""
    found, _ = kept(f"sensors/cpu/temperature:{THROTTLED[0]}")
    wanted = " or ".join(
        f'r._field == "{kept(f"sensors/cpu/temperature:{name}")[1]}"' for name in THROTTLED
    )
    return "\n  |> ".join(
        (
            f'from(bucket: "{RAW_BUCKET}")',
            RANGE,
            f'filter(fn: (r) => r._measurement == "{found.name}" and ({wanted}))',
            "toFloat()",
            "aggregateWindow(every: 1m, fn: max, createEmpty: false)",
            'keep(columns: ["_time", "_value", "station", "_field"])',
        )
    )


def silent() -> str:
    """s since each source has spoken."""
    wanted = " or ".join(
        f'r._measurement == "{kept(f"{topic}:simulated")[0].name}"' for topic in SILENT
    )
    return "\n  |> ".join(
        (
            f'from(bucket: "{RAW_BUCKET}")',
            RANGE,
            f'filter(fn: (r) => r._field == "simulated" and ({wanted}))',
            "last()",
            f"map(fn: (r) => ({{r with _value: {AGE}, _time: now()}}))",
            'group(columns: ["_measurement", "station", "camera"])',
            'keep(columns: ["_time", "_value", "_measurement", "station", "camera"])',
        )
    )


AGE = "float(v: int(v: now()) - int(v: r._time)) / 1000000000.0"


def camera_down() -> str:
    """1 for a camera that should deliver and does not; one that nobody watches has `stopped`."""
    wrong = 'if r._value == "backoff" or r._value == "starting" then 1.0 else 0.0'
    return "\n  |> ".join(
        (
            select("camera/{camera}/status:state"),
            "last()",
            f"map(fn: (r) => ({{r with _value: {wrong}}}))",
            'keep(columns: ["_time", "_value", "station", "camera"])',
        )
    )


def frozen() -> str:
    """s between the newest frame and the status that tells of it, while the camera streams."""
    found, _ = kept("camera/{camera}/status:last_frame_at")
    return "\n  |> ".join(
        (
            f'from(bucket: "{RAW_BUCKET}")',
            RANGE,
            f'filter(fn: (r) => r._measurement == "{found.name}"'
            ' and (r._field == "last_frame_at" or r._field == "state"))',
            "last()",
            'pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")',
            'filter(fn: (r) => r.state == "streaming" and exists r.last_frame_at)',
            "map(fn: (r) => ({r with _value: float(v: int(v: r._time)) / 1000000000.0"
            " - r.last_frame_at}))",
            'keep(columns: ["_time", "_value", "station", "camera"])',
        )
    )


def lost() -> str:
    """1 for an instance whose last will has spoken, or that is online and silent for a minute."""
    wrong = f'if r._value == "lost" or (r._value == "online" and {AGE} > 60.0) then 1.0 else 0.0'
    return "\n  |> ".join(
        (
            select("service/{instance}/status:state"),
            "last()",
            f"map(fn: (r) => ({{r with _value: {wrong}}}))",
            'keep(columns: ["_time", "_value", "station", "instance"])',
        )
    )


def entry(rule: Rule) -> dict[str, Any]:
    """A: the query, B: the last value of each series, C: whether that is wrong."""
    window = RelativeTimeRange(from_val=rule.seconds, to=0)
    kind, bounds = rule.evaluator
    evaluator = expr.ExprTypeThresholdConditionsEvaluator().type(kind).params(bounds)
    condition = expr.ExprTypeThresholdConditions().evaluator(evaluator)
    reduce = expr.TypeReduce().ref_id("B").datasource(EXPRESSION).expression("A").reducer("last")
    reduce = reduce.settings(expr.ExprTypeReduceSettings().mode("dropNN"))
    threshold = (
        expr.TypeThreshold()
        .ref_id("C")
        .datasource(EXPRESSION)
        .expression("B")
        .conditions([condition])
    )
    built = (
        alerting.Rule(rule.title)
        .uid(rule.uid)
        .condition("C")
        .with_query(query("A", SOURCE, Target("A", rule.flux), window))
        .with_query(query("B", EXPRESSION, reduce, window))
        .with_query(query("C", EXPRESSION, threshold, window))
        .for_val(rule.hold)
        .labels({"severity": rule.severity})
        .annotations({"summary": rule.summary})
        .no_data_state(rule.no_data)
        .exec_err_state("Error")
        .build()
        .to_json()
    )
    return {
        key: value for key, value in built.items() if key not in ("folderUID", "orgID", "ruleGroup")
    }


def query(ref: str, source: DataSourceRef, model: Any, window: RelativeTimeRange) -> alerting.Query:
    """One step."""
    return alerting.Query(ref).datasource_uid(source.uid).model(model).relative_time_range(window)
