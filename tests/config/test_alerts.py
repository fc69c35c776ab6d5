"""Grafana's alert rules against the contract: they can fire, and at the page's limits."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from bus.limits import LIMITS, Limit
from bus.points import MEASUREMENTS, RAW_BUCKET
from flux_text import named
from grafana_alerts import holds, seconds

FILE = Path("grafana/provisioning/alerting/rules.json")
GROUPS = json.loads(FILE.read_text(encoding="utf-8"))["groups"]
RULES = {rule["uid"]: rule for group in GROUPS for rule in group["rules"]}
KEPT = {kept.name: kept for kept in MEASUREMENTS.values()}
SERVICE_LOST = 30
"""s after which the contract counts a service as lost."""

Rule = dict[str, Any]


def steps(rule: Rule) -> tuple[Rule, Rule, Rule]:
    """The query, its reduction, the threshold."""
    query, reduce, threshold = rule["data"]
    return query, reduce["model"], threshold["model"]


def fires(rule: Rule, value: float) -> bool:
    """Whether an alert begins at a value, by Grafana's server-side expressions."""
    (condition,) = steps(rule)[2]["conditions"]
    return holds(condition["evaluator"], value)


def rules_of(field: str, severity: str) -> list[Rule]:
    """Those of both sides of a limit, where it has both."""
    found = (RULES.get(f"{field}-{side}-{severity}") for side in ("high", "low"))
    return [rule for rule in found if rule]


def test_what_must_be_watched_is() -> None:
    watched = {"throttled", "silent", "camera-down", "picture-frozen", "service-lost", "storage"}
    fields = ("temperature", "humidity", "cpu_temp", "iaq", "level_db", "disk_percent")
    severities = ("warning", "critical")
    watched |= {f"{field}-high-{severity}" for field in fields for severity in severities}
    watched |= {f"{field}-low-{severity}" for field in fields[:2] for severity in severities}

    assert watched <= set(RULES)


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.field)
def test_a_limit_fires_exactly_where_the_page_changes_its_colour(limit: Limit) -> None:
    field = limit.field.partition(":")[2]
    bounds = [b for b in limit[2:] if isinstance(b, int | float)]
    rules = {severity: rules_of(field, severity) for severity in ("warning", "critical")}

    for value in (bound + change for bound in bounds for change in (-0.01, 0, 0.01)):
        state = limit.judge(value)
        assert any(fires(rule, value) for rule in rules["warning"]) == (state == "warning"), value
        assert any(fires(rule, value) for rule in rules["critical"]) == (state == "bad"), value


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.field)
def test_an_alert_ends_only_well_within_the_good_band(limit: Limit) -> None:
    field = limit.field.partition(":")[2]

    rules = [rule for severity in ("warning", "critical") for rule in rules_of(field, severity)]

    assert rules
    for rule in rules:
        (condition,) = steps(rule)[2]["conditions"]
        (end,) = condition["unloadEvaluator"]["params"]
        begin = condition["evaluator"]["params"][-1 if "-low-" in rule["uid"] else 0]
        assert holds(condition["unloadEvaluator"], end + (begin - end) * -0.01)
        assert not holds(condition["unloadEvaluator"], (begin + end) / 2)
        assert not fires(rule, end)


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.field)
def test_a_limit_is_judged_on_its_own_field(limit: Limit) -> None:
    topic, _, field = limit.field.partition(":")
    for severity in ("warning", "critical"):
        for rule in rules_of(field, severity):
            asked = named(steps(rule)[0]["model"]["query"])
            assert asked.measurements == {MEASUREMENTS[f"beeper/{topic}"].name}
            assert asked.fields == {field}


@pytest.mark.parametrize("uid", RULES)
def test_a_rule_is_one_that_grafana_can_evaluate(uid: str) -> None:
    rule = RULES[uid]
    query, reduce, threshold = steps(rule)

    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", uid)
    assert [step["refId"] for step in rule["data"]] == ["A", "B", "C"]
    assert query["datasourceUid"] == "influxdb"
    assert (reduce["type"], reduce["expression"], reduce["reducer"]) == ("reduce", "A", "last")
    assert (threshold["type"], threshold["expression"]) == ("threshold", "B")
    assert rule["condition"] == "C"
    (condition,) = threshold["conditions"]
    kind, bounds = condition["evaluator"]["type"], condition["evaluator"]["params"]
    assert (kind, len(bounds)) in {("gt", 1), ("lt", 1), ("within_range", 2)}
    assert bounds == sorted(bounds)


@pytest.mark.parametrize("uid", RULES)
def test_what_a_rule_asks_for_exists(uid: str) -> None:
    asked = named(steps(RULES[uid])[0]["model"]["query"])

    assert asked.buckets == {RAW_BUCKET}
    kept = [KEPT[name] for name in asked.measurements]
    assert kept and asked.fields
    assert asked.fields <= {field for one in kept for field in one.fields}
    assert all(asked.fields & set(one.fields) for one in kept)
    tags = {tag for one in kept for tag in one.tags} | {f for one in kept for f in one.fields}
    assert asked.tags - {"source", "flag"} <= tags, "`_measurement` and `_field` are renamed"


@pytest.mark.parametrize("uid", RULES)
def test_a_window_is_longer_than_the_time_between_two_messages(uid: str) -> None:
    (query, *rest) = RULES[uid]["data"]
    every = max(KEPT[name].topic.every or 0 for name in named(query["model"]["query"]).measurements)
    means = re.findall(r"aggregateWindow\(every: (\w+)", query["model"]["query"])

    assert query["relativeTimeRange"]["to"] == 0
    assert query["relativeTimeRange"]["from"] >= 3 * every
    assert all(seconds(window) >= 3 * every for window in means)
    assert all(step["relativeTimeRange"] == query["relativeTimeRange"] for step in rest)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group["name"])
def test_nothing_must_hold_for_less_than_an_evaluation(group: Rule) -> None:
    interval = seconds(group["interval"])

    assert interval % 10 == 0, "Grafana's scheduler ticks every 10 s"
    assert all(seconds(rule["for"]) >= interval for rule in group["rules"])


def test_every_rule_says_how_bad_and_what() -> None:
    for rule in RULES.values():
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"]["summary"]
        assert "$" not in json.dumps([rule["annotations"], rule["labels"]]), "Grafana expands it"
        assert rule["noDataState"] in {"OK", "Alerting"}
    assert len({rule["title"] for rule in RULES.values()}) == len(RULES)


def test_a_silence_is_told_by_one_rule() -> None:
    for state in ("noDataState", "execErrState"):
        assert [uid for uid, rule in RULES.items() if rule[state] == "Alerting"] == ["storage"]
    assert {rule["execErrState"] for rule in RULES.values()} == {"KeepLast", "Alerting"}
    assert fires(RULES["silent"], 61) and not fires(RULES["silent"], 30)
    lost = steps(RULES["service-lost"])[0]["model"]["query"]
    (age,) = re.findall(r"> ([\d.]+)\)", lost)
    assert SERVICE_LOST < float(age) <= 2 * SERVICE_LOST


@pytest.mark.parametrize("uid", RULES)
def test_a_message_leads_to_a_panel_that_exists(uid: str) -> None:
    annotations = RULES[uid]["annotations"]
    board = json.loads(
        Path(f"grafana/dashboards/{annotations['__dashboardUid__']}.json").read_text("utf-8")
    )
    shown = [*board["panels"], *(p for row in board["panels"] for p in row.get("panels", []))]

    assert board["uid"] == RULES[uid]["dashboardUid"] == annotations["__dashboardUid__"]
    assert int(annotations["__panelId__"]) == RULES[uid]["panelId"]
    assert RULES[uid]["panelId"] in {panel["id"] for panel in shown if panel["type"] != "row"}


def test_the_rules_of_the_last_version_are_taken_away() -> None:
    retired = {gone["uid"] for gone in json.loads(FILE.read_text("utf-8"))["deleteRules"]}

    assert {"temperature-warning", "temperature-critical", "disk_percent-critical"} <= retired
    assert not retired & RULES.keys()
