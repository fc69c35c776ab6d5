"""The file of alert rules that Grafana provisions."""

from typing import Any

from bus.limits import LIMITS
from flux import kept
from health_rules import health_rules
from limit_rules import limit_rules
from rule import entry

FOLDER = "Beeper Keeper"
INTERVAL = "1m"
"""Between two evaluations; no `for` is shorter."""
RETIRED = tuple(
    f"{kept(limit.field)[1]}-{severity}" for limit in LIMITS for severity in ("warning", "critical")
)
"""Rules of version 0.1, which knew no high and low; Grafana keeps what a file no longer names."""


def provisioned() -> dict[str, Any]:
    """The file as Grafana's provisioning reads it."""
    groups = {"Limits": tuple(limit_rules()), "Health": health_rules()}
    return {
        "apiVersion": 1,
        "deleteRules": [{"orgId": 1, "uid": uid} for uid in RETIRED],
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
