"""The task for the long run, in its text: InfluxDB is not here to run it."""

import re
from datetime import UTC, datetime

import pytest
from bus.points import BROKER, LONG_BUCKET, MEASUREMENTS, RAW_BUCKET, Measurement
from station.downsampling import flux

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
