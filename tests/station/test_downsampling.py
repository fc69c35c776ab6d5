"""The task for the long run, in its text: InfluxDB is not here to run it."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from bus.points import BROKER, LONG_BUCKET, MEASUREMENTS, RAW_BUCKET, Measurement
from station.downsampling import flux
from station.influxdb import days

PARTS = dict(re.findall(r"(\w+) = from\(.*?filter\(fn: \(r\) => (.*?\$/\))\)\n", flux(), re.DOTALL))


def fields(part: str) -> dict[str, set[str]]:
    """Measurement → the fields that one part of the task takes."""
    pairs = re.findall(r'r\._measurement == "(\w+)" and r\._field =~ /\^\(([\w|]+)\)\$/', part)
    return {name: set(names.split("|")) for name, names in pairs}


@pytest.mark.parametrize("kept", MEASUREMENTS.values(), ids=lambda kept: kept.name)
def test_every_number_is_kept_for_the_long_run_and_no_text(kept: Measurement) -> None:
    numbers, flags = (fields(PARTS[part]).get(kept.name, set()) for part in ("numbers", "flags"))

    assert numbers | flags == set(kept.numbers)
    assert flags == {name for name, kind in kept.fields.items() if kind == "bool"}


def test_the_brokers_figures_are_kept_too() -> None:
    assert fields(PARTS["numbers"])[BROKER] == {"value"}


def test_it_reads_the_raw_bucket_and_writes_the_long_one() -> None:
    assert set(re.findall(r'from\(bucket: "(\w+)"', flux())) == {RAW_BUCKET}
    assert set(re.findall(r'to\(bucket: "(\w+)"', flux())) == {LONG_BUCKET}


def test_a_backfill_is_done_again_from_its_beginning() -> None:
    query = flux(datetime(2026, 11, 20, 6, 0, tzinfo=UTC))

    assert "t: 2026-11-20T06:00:00Z" in query
    assert "option task" not in query and "option task" in flux()


def test_a_part_of_a_backfill_ends_where_the_next_begins() -> None:
    query = flux(datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC))

    assert "t: 2026-11-20T00:00:00Z" in query and "t: 2026-11-21T00:00:00Z" in query
    assert "now()" not in query


@pytest.mark.parametrize("hours", [0, 1, 23, 24, 25, 24 * 30 + 5])
def test_a_backfill_takes_a_day_at_most_at_a_time_and_leaves_nothing_out(hours: int) -> None:
    since = datetime(2026, 10, 24, 22, 30, tzinfo=timezone(timedelta(hours=2)))
    until = since + timedelta(hours=hours)

    parts = list(days(since, until))

    assert all(timedelta(0) < stop - start <= timedelta(days=1) for start, stop in parts)
    assert [start for start, _ in parts[1:]] == [stop for _, stop in parts[:-1]]
    assert (parts[0][0], parts[-1][1]) == (since, until) if hours else parts == []
