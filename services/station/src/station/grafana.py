"""Grafana's provisioning folder: data source, dashboards, alert rules, and whom to tell.

`python -m station.grafana FOLDER` writes it, as often as one likes; Grafana finds it by its
variable GF_PATHS_PROVISIONING, and the dashboards in FOLDER/boards by DASHBOARDS. `[alerts]` says
whom to tell; without it alerts are only shown.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Annotated, Any

import bus.settings
from bus import reference
from bus.secret import read_secret
from bus.settings import Section
from pydantic import Field, SecretStr, StringConstraints

from .influxdb import write_secret

SOURCE = Path("grafana/provisioning")
TOKEN = "/secrets/grafana/influxdb_token"  # noqa: S105 (where Compose has it)
NAME = "beeper-keeper"
KINDS = ("webhook", "email", "ntfy")
"""The uid of each receiver."""
NO_PAGE_LINK = "*Its address appears here once `[grafana] page_url` of beeper.toml names it.*"
"""The line of the dashboards that becomes a link."""
REPEAT = {"critical": "1h", "warning": "4h"}
"""Severity → how often an alert that goes on is told again."""

NO_DOLLAR = r"[^$\s]*"  # Grafana would expand variables
Url = Annotated[str, StringConstraints(pattern=rf"^(https?://{NO_DOLLAR})?$")]
Address = Annotated[str, StringConstraints(pattern=r"^[^@$\s;,]+@[^@$\s;,]+$")]


class Alerts(Section):
    """Whom Grafana tells."""

    webhook: Url = Field(
        "", description="URL that gets a POST of JSON for each alert; empty = none"
    )
    email: tuple[Address, ...] = Field((), description="needs Grafana's GF_SMTP_… variables")
    ntfy: Url = Field("", description="URL of a topic of ntfy, such as https://ntfy.sh/my-coop")
    ntfy_token: SecretStr = Field(SecretStr(""), description="better: ntfy_token_file")
    ntfy_token_file: Path | None = Field(None, description="a file that holds ntfy's access token")


class Grafana(Section):
    """What the dashboards cannot know by themselves."""

    page_url: Url = Field(
        "", description="the station's page, such as http://192.168.1.5:8080, for a link to it"
    )


class Settings(bus.settings.Settings):
    """What this command reads of beeper.toml."""

    alerts: Alerts = Alerts()
    grafana: Grafana = Grafana()


def main() -> int:
    """The command; 1 with one line for each mistake."""
    given = parser().parse_args()
    if not (given.folder or given.show_settings or given.explain_settings):
        parser().error("say where to write")
    try:
        settings = bus.settings.load(Settings)
        if given.show_settings or given.explain_settings:
            sys.stdout.write(
                bus.settings.show(settings) + "\n"
                if given.show_settings
                else reference.toml(settings, shared=given.explain_settings == "all")
            )
            return 0
        shutil.copytree(given.source, given.folder, dirs_exist_ok=True)
        copy_boards(given.source.parent / "dashboards", given.folder / "boards", settings.grafana)
        name_token(given.folder / "datasources" / "influxdb.yaml", given.token)
        contacts = json.dumps(provisioned(settings.alerts), indent=1, ensure_ascii=False)
        write_secret(given.folder / "alerting" / "contacts.json", contacts + "\n")
    except (OSError, shutil.Error, bus.settings.SettingsError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """What it is told."""
    found = argparse.ArgumentParser(prog="python -m station.grafana", description=__doc__)
    found.add_argument("folder", type=Path, nargs="?", help="where to write")
    found.add_argument("--source", type=Path, default=SOURCE, help="what it is copied from")
    found.add_argument(
        "--token", default=TOKEN, help="the file with Grafana's token for InfluxDB (%(default)s)"
    )
    found.add_argument("--show-settings", action="store_true", help="print them as JSON")
    found.add_argument("--explain-settings", choices=("all", "own"), help="print them as TOML")
    return found


def copy_boards(source: Path, folder: Path, settings: Grafana) -> None:
    """The dashboards, with a link to the station's page once its address is known."""
    folder.mkdir(exist_ok=True)
    for file in source.glob("*.json"):
        text = file.read_text(encoding="utf-8")
        if settings.page_url:
            text = text.replace(NO_PAGE_LINK, f"[{settings.page_url}]({settings.page_url})")
        (folder / file.name).write_text(text, encoding="utf-8")


def name_token(file: Path, token: str) -> None:
    """Grafana expands no variable within the name of a file that it is to read."""
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(f"$__file{{{TOKEN}}}", f"$__file{{{token}}}"), encoding="utf-8")


def provisioned(alerts: Alerts) -> dict[str, Any]:
    """Contact point and policy; what is no longer configured is taken out of Grafana's database."""
    told = receivers(alerts)
    gone = [{"orgId": 1, "uid": kind} for kind in KINDS if kind not in told]
    file: dict[str, Any] = {"apiVersion": 1, "deleteContactPoints": gone}
    if not told:
        return file | {"resetPolicies": [1]}
    file["contactPoints"] = [{"orgId": 1, "name": NAME, "receivers": list(told.values())}]
    return file | {"policies": [policy()]}


def receivers(alerts: Alerts) -> dict[str, dict[str, Any]]:
    """Kind → the receiver as Grafana knows it."""
    told: dict[str, dict[str, Any]] = {}
    if alerts.webhook:
        told["webhook"] = receiver("webhook", "webhook", url=alerts.webhook, httpMethod="POST")
    if alerts.email:
        told["email"] = receiver("email", "email", addresses=";".join(alerts.email))
    if alerts.ntfy:
        told["ntfy"] = ntfy(alerts)
    return told


def ntfy(alerts: Alerts) -> dict[str, Any]:
    """ntfy takes Grafana's JSON and makes words of it when asked for its template `grafana`."""
    settings = {"url": f"{alerts.ntfy}?template=grafana", "httpMethod": "POST"}
    if token := read_secret(alerts.ntfy_token, alerts.ntfy_token_file):
        settings |= {"authorization_scheme": "Bearer", "authorization_credentials": token}
    return receiver("ntfy", "webhook", **settings)


def receiver(uid: str, kind: str, **settings: str) -> dict[str, Any]:
    """One way to tell somebody; that an alert is over is told too."""
    return {"uid": uid, "type": kind, "disableResolveMessage": False, "settings": settings}


def policy() -> dict[str, Any]:
    """Everything goes to the one contact point; the severity decides how often."""
    routes = [
        {
            "receiver": NAME,
            "object_matchers": [["severity", "=", severity]],
            "repeat_interval": repeat,
        }
        for severity, repeat in REPEAT.items()
    ]
    return {
        "orgId": 1,
        "receiver": NAME,
        "group_by": ["grafana_folder", "alertname", "station"],
        "group_wait": "30s",
        "group_interval": "5m",
        "repeat_interval": "4h",
        "routes": routes,
    }


if __name__ == "__main__":
    raise SystemExit(main())
