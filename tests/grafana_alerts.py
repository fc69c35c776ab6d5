"""What Grafana does with an alert rule: Flux results to labelled numbers, states, words.

Imitated after Grafana 12: its InfluxDB data source (a table is a frame; strings that do not begin
with an underscore are labels, `_measurement` and `_field` are not), its server-side expressions
(one number for each set of labels, hysteresis), its states (pending, alerting, recovering).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from flux_interpreter import Row, Tables, run

Labels = tuple[tuple[str, str], ...]
UNITS = {"s": 1, "m": 60, "h": 3600}
INTERVAL = 60
"""s between two evaluations."""
MISSING = 2
"""Evaluations without a series, after which its alert has ended."""


class DuplicateLabelsError(ValueError):
    """Two series that Grafana cannot tell apart: the rule is in Error."""


class Instance(NamedTuple):
    """One series of a rule as it is now."""

    state: str
    since: int
    """s: when the state began."""
    value: float | None
    missing: int = 0

    @property
    def active(self) -> bool:
        """Whether somebody is told."""
        return self.state in ("Alerting", "Recovering")


class Told(NamedTuple):
    """A message: the alert begins or ends."""

    rule: str
    fires: bool
    labels: Mapping[str, str]
    words: str


def numbers(tables: Tables) -> dict[Labels, float]:
    """Labels → the last value that is no null."""
    found: dict[Labels, float] = {}
    for table in tables:
        first = table.rows[0]
        labels = tuple(
            (name, value)
            for name, value in sorted(first.items())
            if isinstance(value, str)
            and not name.startswith("_")
            and name not in ("result", "table")
        )
        values = [row["_value"] for row in table.rows if row["_value"] is not None]
        if labels in found:
            raise DuplicateLabelsError(f"two series are called {dict(labels)}")
        if values:
            found[labels] = float(values[-1])
    return found


def holds(evaluator: Mapping[str, Any], value: float) -> bool:
    """One of Grafana's threshold functions; ranges exclude their ends."""
    bounds: list[float] = evaluator["params"]
    match evaluator["type"]:
        case "gt":
            return value > bounds[0]
        case "lt":
            return value < bounds[0]
        case "within_range":
            return bounds[0] < value < bounds[1]
    raise ValueError(evaluator["type"])


def seconds(text: str) -> int:
    """`5m` → 300."""
    return int(text[:-1]) * UNITS[text[-1]]


class RuleState:
    """One provisioned rule over time."""

    def __init__(self, rule: Mapping[str, Any]) -> None:
        self.uid: str = rule["uid"]
        self.instances: dict[Labels, Instance] = {}
        self._rule = rule
        (self._condition,) = rule["data"][2]["model"]["conditions"]

    def evaluate(self, points: Iterable[Row] | None, now: int) -> list[Told]:
        """One evaluation at `now` (s); `points` is None while InfluxDB does not answer."""
        before = dict(self.instances)
        if points is None:
            self._without_answer(self._rule["execErrState"], now)
        elif found := self._numbers(points, now):
            self._judge(found, now)
        else:
            self._without_answer(self._rule["noDataState"], now)
        return list(self._told(before))

    def _numbers(self, points: Iterable[Row], now: int) -> dict[Labels, float]:
        query = self._rule["data"][0]
        span = query["relativeTimeRange"]["from"]
        return numbers(run(query["model"]["query"], points, (now - span) * 10**9, now * 10**9))

    def _without_answer(self, state: str, now: int) -> None:
        if state == "KeepLast":
            return
        if state == "Alerting":
            self._move((), True, None, now)
        else:
            self.instances = {labels: Instance("Normal", now, None) for labels in self.instances}

    def _judge(self, found: Mapping[Labels, float], now: int) -> None:
        if () not in found:
            self.instances.pop((), None)
        for labels, value in found.items():
            loaded = self.instances.get(labels, Instance("Normal", now, None)).state != "Normal"
            ends = self._condition.get("unloadEvaluator")
            wrong = (
                not holds(ends, value)
                if loaded and ends
                else holds(self._condition["evaluator"], value)
            )
            self._move(labels, wrong, value, now)
        for labels in self.instances.keys() - found.keys():
            gone = self.instances[labels]
            missing = gone.missing + 1
            self.instances[labels] = gone._replace(missing=missing)
            if missing >= MISSING:
                self.instances[labels] = Instance("Normal", now, None)

    def _move(self, labels: Labels, wrong: bool, value: float | None, now: int) -> None:
        state, since, _, _ = self.instances.get(labels, Instance("Normal", now, None))
        hold, keep = seconds(self._rule["for"]), seconds(self._rule["keepFiringFor"])
        if wrong and state == "Normal":
            later = "Pending" if hold else "Alerting"
        elif wrong and state == "Pending":
            later = "Alerting" if now - since >= hold else "Pending"
        elif wrong:
            later = "Alerting"
        elif state in ("Alerting", "Recovering"):
            began = since if state == "Recovering" else now
            later = "Recovering" if now - began < keep else "Normal"
        else:
            later = "Normal"
        self.instances[labels] = Instance(later, since if later == state else now, value)

    def _told(self, before: Mapping[Labels, Instance]) -> Iterable[Told]:
        for labels, instance in self.instances.items():
            was = labels in before and before[labels].active
            if was != instance.active:
                words = render(self._rule["annotations"]["summary"], labels, instance.value)
                yield Told(self.uid, instance.active, dict(labels), words)
        for labels in before.keys() - self.instances.keys():
            if before[labels].active:
                words = render(self._rule["annotations"]["summary"], labels, None)
                yield Told(self.uid, False, dict(labels), words)


def render(template: str, labels: Labels, value: float | None) -> str:
    """Grafana's templates as the rules use them; what there is not is `[no value]` or 0."""
    given = dict(labels)

    def chosen(match: re.Match[str]) -> str:
        return match[2] if given.get(match[1]) else match[3]

    text = re.sub(r"{{ if \.Labels\.(\w+) }}(.*?){{ else }}(.*?){{ end }}", chosen, template)
    text = re.sub(r"{{ \.Labels\.(\w+) }}", lambda match: given.get(match[1], "[no value]"), text)
    text = text.replace('{{ printf "%.1f" (index .Values "B").Value }}', f"{value or 0:.1f}")
    assert "{{" not in text, f"not imitated: {text}"
    return text


def watch(
    rules: Iterable[Mapping[str, Any]],
    answer: Callable[[int], Iterable[Row] | None],
    moments: Iterable[int],
) -> list[Told]:
    """Every message while all rules are evaluated at these moments (s)."""
    states = [RuleState(rule) for rule in rules]
    told: list[Told] = []
    for now in moments:
        points = answer(now)
        known = None if points is None else list(points)
        for state in states:
            told += state.evaluate(known, now)
    return told
