"""Grafana's alert rules against the contract: they can fire, and at the page's limits."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from bus.limits import LIMITS, Limit
from bus.points import MEASUREMENTS, RAW_BUCKET
from flux_text import named

FILE = Path("grafana/provisioning/alerting/rules.json")
GROUPS = json.loads(FILE.read_text(encoding="utf-8"))["groups"]
RULES = {rule["uid"]: rule for group in GROUPS for rule in group["rules"]}
KEPT = {kept.name: kept for kept in MEASUREMENTS.values()}
UNITS = {"s": 1, "m": 60, "h": 3600}
SERVICE_LOST = 30
"""s after which the contract counts a service as lost."""

Rule = dict[str, Any]


def seconds(text: str) -> int:
    return int(text[:-1]) * UNITS[text[-1]]


def steps(rule: Rule) -> tuple[Rule, Rule, Rule]:
    """The query, its reduction, the threshold."""
    query, reduce, threshold = rule["data"]
    return query, reduce["model"], threshold["model"]


def fires(rule: Rule, value: float) -> bool:
    """As Grafana's server-side expressions decide: both bounds of a range are still good."""
    (condition,) = steps(rule)[2]["conditions"]
    kind: str = condition["evaluator"]["type"]
    bounds: list[float] = condition["evaluator"]["params"]
    if kind == "outside_range":
        return not bounds[0] <= value <= bounds[1]
    return value > bounds[0] if kind == "gt" else value < bounds[0]


def test_what_must_be_watched_is() -> None:
    watched = {"throttled", "silent", "camera-down", "picture-frozen", "service-lost"}
    fields = ("temperature", "humidity", "cpu_temp", "iaq", "level_db", "disk_percent")
    watched |= {f"{field}-{severity}" for field in fields for severity in ("warning", "critical")}

    assert watched <= set(RULES)


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.field)
def test_a_limit_fires_exactly_where_the_page_changes_its_colour(limit: Limit) -> None:
    field = limit.field.partition(":")[2]
    bounds = [b for b in limit[2:] if isinstance(b, int | float)]
    warning, critical = RULES.get(f"{field}-warning"), RULES.get(f"{field}-critical")

    for value in (bound + change for bound in bounds for change in (-0.01, 0, 0.01)):
        state = limit.judge(value)
        assert (warning is not None and fires(warning, value)) == (state != "good"), value
        assert (critical is not None and fires(critical, value)) == (state == "bad"), value


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.field)
def test_a_limit_is_judged_on_its_own_field(limit: Limit) -> None:
    topic, _, field = limit.field.partition(":")
    for severity in ("warning", "critical"):
        if rule := RULES.get(f"{field}-{severity}"):
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
    assert (kind, len(bounds)) in {("gt", 1), ("lt", 1), ("outside_range", 2)}
    assert bounds == sorted(bounds)


@pytest.mark.parametrize("uid", RULES)
def test_what_a_rule_asks_for_exists(uid: str) -> None:
    asked = named(steps(RULES[uid])[0]["model"]["query"])

    assert asked.buckets == {RAW_BUCKET}
    kept = [KEPT[name] for name in asked.measurements]
    assert kept and asked.fields
    assert all(asked.fields <= set(one.fields) for one in kept)
    tags = {tag for one in kept for tag in one.tags} | {f for one in kept for f in one.fields}
    assert asked.tags <= tags


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


def test_silence_is_an_alert_of_its_own() -> None:
    assert [uid for uid, rule in RULES.items() if rule["noDataState"] == "Alerting"] == ["silent"]
    assert fires(RULES["silent"], 61) and not fires(RULES["silent"], 30)
    lost = steps(RULES["service-lost"])[0]["model"]["query"]
    (age,) = re.findall(r"> ([\d.]+)\)", lost)
    assert SERVICE_LOST < float(age) <= 2 * SERVICE_LOST
