"""InfluxDB made ready: `python -m station.influxdb`, as often as one likes.

The organisation, a bucket for every reading and one for the long run, the task that fills the
latter, and a token for each program that can do no more than its work: Telegraf writes, Grafana and
history read. Only this command ever uses the operator's token.
"""

import argparse
import os
import secrets
import stat
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from bus.points import LONG_BUCKET, ORGANISATION, RAW_BUCKET
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.domain.authorization import Authorization
from influxdb_client.domain.bucket_retention_rules import BucketRetentionRules
from influxdb_client.domain.onboarding_request import OnboardingRequest
from influxdb_client.domain.permission import Permission
from influxdb_client.domain.permission_resource import PermissionResource
from influxdb_client.domain.task_create_request import TaskCreateRequest
from influxdb_client.rest import ApiException
from influxdb_client.service.setup_service import SetupService
from urllib3.exceptions import HTTPError

from .downsampling import TASK, flux

DAY = 86_400
RETENTION = {RAW_BUCKET: 30 * DAY, LONG_BUCKET: 730 * DAY}
"""Bucket → s for which it keeps what it has."""
WRITES: dict[str, tuple[str, ...]] = {"telegraf": (RAW_BUCKET,), "grafana": (), "history": ()}
READS: dict[str, tuple[str, ...]] = {
    "telegraf": (),
    "grafana": (RAW_BUCKET, LONG_BUCKET),
    "history": (RAW_BUCKET, LONG_BUCKET),
}


class Place(NamedTuple):
    """The organisation and its buckets, by InfluxDB's ids."""

    organisation: str
    buckets: dict[str, str]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 1 with one line when it could not be done."""
    given = parser().parse_args(arguments)
    try:
        token = given.operator_token.read_text(encoding="utf-8").strip()
        with InfluxDBClient(given.url, token, org=ORGANISATION, timeout=10_000) as client:
            wait_ready(client, given.timeout)
            first_start(client, token, given.password)
            place = Place(organisation(client), buckets(client))
            task(client, place)
            if given.again_since:
                downsample(given.url, token, given.again_since)
            for name in WRITES:
                if file := getattr(given, name):
                    grant(client, place, name, file)
    except (OSError, HTTPError, ValueError) as error:
        sys.stderr.write(f"{given.url}: {error}\n")
    except ApiException as error:
        sys.stderr.write(f"{given.url}: {error.status} {error.reason}: {hint(error)}\n")
    else:
        return 0
    return 1


def parser() -> argparse.ArgumentParser:
    """What it is told."""
    found = argparse.ArgumentParser(prog="python -m station.influxdb", description=__doc__)
    found.add_argument("--url", default="http://127.0.0.1:8086", help="InfluxDB 2")
    found.add_argument("--timeout", type=float, default=60, help="s to wait for it (%(default)s)")
    found.add_argument(
        "--operator-token", type=Path, required=True, help="a file with the operator's token"
    )
    found.add_argument(
        "--again-since",
        type=datetime.fromisoformat,
        metavar="TIME",
        help="fill the bucket for the long run again from then on, after a backfill (ISO 8601)",
    )
    found.add_argument("--password", type=Path, help="a file with the password of user `admin`")
    for name in WRITES:
        what = "writes" if WRITES[name] else "reads"
        found.add_argument(f"--{name}", type=Path, help=f"where to put the token that only {what}")
    return found


def hint(error: ApiException) -> str:
    """What the user can do about it."""
    if error.status == 401:
        return "it was set up with another operator token than --operator-token"
    return str(error.message or "").strip()


def wait_ready(client: InfluxDBClient, seconds: float) -> None:
    """Raises ValueError when it does not answer in time."""
    end = time.monotonic() + seconds
    while not client.ping():
        if time.monotonic() > end:
            raise ValueError(f"InfluxDB does not answer within {seconds:g} s")
        time.sleep(0.5)


def first_start(client: InfluxDBClient, token: str, password: Path | None) -> None:
    """User `admin`, the organisation and the operator's token, where InfluxDB has none yet."""
    service = SetupService(client.api_client)
    if not service.get_setup().allowed:
        return
    word = password.read_text(encoding="utf-8").strip() if password else secrets.token_urlsafe(24)
    request = OnboardingRequest(
        username="admin",
        password=word,
        org=ORGANISATION,
        bucket=RAW_BUCKET,
        retention_period_seconds=RETENTION[RAW_BUCKET],
        token=token,
    )
    service.post_setup(request)


def organisation(client: InfluxDBClient) -> str:
    """Its id."""
    (found,) = client.organizations_api().find_organizations(org=ORGANISATION)
    return str(found.id)


def buckets(client: InfluxDBClient) -> dict[str, str]:
    """Name → id of our buckets, which are made or corrected."""
    api = client.buckets_api()
    found = {}
    for name, seconds in RETENTION.items():
        rules = [BucketRetentionRules(type="expire", every_seconds=seconds)]
        bucket = api.find_bucket_by_name(name) or api.create_bucket(
            bucket_name=name, retention_rules=rules, org=ORGANISATION
        )
        if [rule.every_seconds for rule in bucket.retention_rules] != [seconds]:
            bucket.retention_rules = rules
            api.update_bucket(bucket)
        found[name] = str(bucket.id)
    return found


def task(client: InfluxDBClient, place: Place) -> None:
    """The task that fills the long bucket, once, as it is now."""
    api = client.tasks_api()
    (found, *extra) = api.find_tasks(name=TASK) or [None]
    for other in extra:
        api.delete_task(other.id)
    if found is None:
        request = TaskCreateRequest(flux=flux(), org_id=place.organisation, status="active")
        api.create_task(task_create_request=request)
    elif found.flux != flux():
        found.flux, found.every, found.cron, found.offset = flux(), None, None, None
        api.update_task(found)


def downsample(url: str, token: str, since: datetime) -> None:
    """Do the task's work again from then on, a day at a time: more at once takes gigabytes.

    A small computer takes seconds for each day; a line on stderr says which one it is at.
    """
    with InfluxDBClient(url, token, org=ORGANISATION, timeout=3_600_000) as patient:
        for start, stop in days(since, datetime.now(UTC)):
            sys.stderr.write(f"{start:%Y-%m-%d}: filling {LONG_BUCKET}\n")
            patient.query_api().query(flux(start, stop))


def days(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The days of a span (UTC), the first and the last cut where it begins and ends."""
    start, until = since.astimezone(UTC), until.astimezone(UTC)
    while start < until:
        midnight = start.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        stop = min(midnight, until)
        yield start, stop
        start = stop


def grant(client: InfluxDBClient, place: Place, name: str, file: Path) -> None:
    """A token of its own for one program, in a file of mode 600; one that works is kept."""
    wanted = [permission("write", bucket, place) for bucket in WRITES[name]]
    wanted += [permission("read", bucket, place) for bucket in READS[name]]
    api = client.authorizations_api()
    described = f"beeper-keeper: {name}"
    have = file.read_text(encoding="utf-8").strip() if file.exists() else ""
    for old in api.find_authorizations(org_id=place.organisation):
        if old.description != described:
            continue
        if old.token == have and same(old.permissions, wanted):
            return
        api.delete_authorization(old)
    made = api.create_authorization(
        authorization=Authorization(
            org_id=place.organisation, permissions=wanted, description=described
        )
    )
    write_secret(file, made.token)


def permission(action: str, bucket: str, place: Place) -> Permission:
    """One thing that a token may do."""
    resource = PermissionResource(
        type="buckets", id=place.buckets[bucket], org_id=place.organisation
    )
    return Permission(action=action, resource=resource)


def same(have: list[Permission], wanted: list[Permission]) -> bool:
    """Whether both allow the same."""
    key: Callable[[Any], tuple[str, str]] = lambda one: (one.action, one.resource.id)  # noqa: E731
    return sorted(map(key, have)) == sorted(map(key, wanted))


def write_secret(file: Path, text: str) -> None:
    """Replace a file at once by one that only this user can read.

    No line's end is added: Telegraf and Grafana take whatever the file holds.
    """
    fresh = file.with_name(f".{file.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    if file.parent.stat().st_mode & stat.S_ISGID:
        os.fchmod(descriptor, 0o640)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(text)
    fresh.replace(file)


if __name__ == "__main__":
    raise SystemExit(main())
