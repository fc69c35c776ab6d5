"""Whom Grafana tells, as the settings say it."""

import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import own_environment
from pydantic import SecretStr
from station.grafana import KINDS, NO_PAGE_LINK, Alerts, provisioned


def test_nobody_is_told_by_default() -> None:
    file = provisioned(Alerts())

    assert file["resetPolicies"] == [1]
    assert {gone["uid"] for gone in file["deleteContactPoints"]} == set(KINDS)
    assert "contactPoints" not in file and "policies" not in file


def test_each_way_is_a_receiver_of_the_one_contact_point() -> None:
    alerts = Alerts(
        webhook="http://192.168.1.5/alert",
        email=("a@example.org", "b@example.org"),
        ntfy="https://ntfy.sh/coop",
        ntfy_token=SecretStr("tk_secret"),
    )
    file = provisioned(alerts)
    (point,) = file["contactPoints"]
    settings = {one["uid"]: (one["type"], one["settings"]) for one in point["receivers"]}

    assert file["deleteContactPoints"] == []
    assert settings["webhook"] == (
        "webhook",
        {"url": "http://192.168.1.5/alert", "httpMethod": "POST"},
    )
    assert settings["email"] == ("email", {"addresses": "a@example.org;b@example.org"})
    kind, ntfy = settings["ntfy"]
    assert (kind, ntfy["url"]) == ("webhook", "https://ntfy.sh/coop?template=grafana")
    assert ntfy["authorization_credentials"] == "tk_secret"


def test_severities_are_routed_to_it() -> None:
    file = provisioned(Alerts(webhook="https://example.org/x"))
    (policy,) = file["policies"]
    routes: list[dict[str, Any]] = policy["routes"]

    assert {policy["receiver"], *(route["receiver"] for route in routes)} == {"beeper-keeper"}
    severities = {route["object_matchers"][0][2] for route in routes}
    rules = json.loads(Path("grafana/provisioning/alerting/rules.json").read_text("utf-8"))
    labels = {r["labels"]["severity"] for g in rules["groups"] for r in g["rules"]}
    assert severities == labels


def command(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "station.grafana", *words],
        env=own_environment() | settings,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_folder_is_whole_and_what_is_secret_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "provisioning"
    for _ in range(2):
        words = (str(folder), "--token", "/etc/grafana/token")
        done = command(*words, BEEPER_ALERTS__WEBHOOK="https://example.org/x")
        assert done.returncode == 0, done.stderr

    files = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    assert files == {
        "alerting/contacts.json",
        "alerting/rules.json",
        "boards/operation.json",
        "boards/station.json",
        "boards/years.json",
        "dashboards/beeper-keeper.yaml",
        "datasources/influxdb.yaml",
        "plugins/none.yaml",
    }
    contacts = folder / "alerting" / "contacts.json"
    assert stat.S_IMODE(contacts.stat().st_mode) == 0o600
    assert "https://example.org/x" in contacts.read_text("utf-8")
    source = (folder / "datasources" / "influxdb.yaml").read_text("utf-8")
    assert "token: $__file{/etc/grafana/token}\n" in source


@pytest.mark.parametrize(
    ("name", "value"),
    [("WEBHOOK", "ftp://x"), ("NTFY", "https://x/$HOME"), ("EMAIL", '["not an address"]')],
)
def test_a_wrong_address_is_named(name: str, value: str, tmp_path: Path) -> None:
    done = command(str(tmp_path / "x"), **{f"BEEPER_ALERTS__{name}": value})

    assert done.returncode == 1
    assert f"BEEPER_ALERTS__{name}" in done.stderr
    assert not (tmp_path / "x").exists()


def test_the_dashboard_leads_to_the_stations_page_once_it_is_known(tmp_path: Path) -> None:
    unknown, known = tmp_path / "unknown", tmp_path / "known"
    assert command(str(unknown)).returncode == 0
    assert command(str(known), BEEPER_GRAFANA__PAGE_URL="http://192.168.1.5:8080").returncode == 0

    link = "[http://192.168.1.5:8080](http://192.168.1.5:8080)"
    assert NO_PAGE_LINK in (unknown / "boards" / "station.json").read_text("utf-8")
    assert link in (known / "boards" / "station.json").read_text("utf-8")
    assert NO_PAGE_LINK not in (known / "boards" / "station.json").read_text("utf-8")
