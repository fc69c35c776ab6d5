"""What is asked of InfluxDB; docs/hardware.md says against which server that was tried."""

import pytest
from bus.points import LONG_BUCKET, RAW_BUCKET, STATISTICS
from history.influx import Influx, flux_of, text
from history.metric import UnknownError, read
from history.settings import History, Influxdb
from pydantic import ValidationError

METRIC = read("camera/csi/metadata:Lux", "barn")


def test_the_question_names_the_series_as_telegraf_does() -> None:
    flux = flux_of(RAW_BUCKET, METRIC, 1_764_000_000_000, 1_764_003_600_000, 5000, wide=False)
    assert flux.startswith(
        'data = from(bucket: "sensors")\n  |> range(start: 2025-11-24T16:00:00.000Z'
    )
    for condition in (
        'r["_measurement"] == "camera_metadata"',
        'r["_field"] == "Lux"',
        'r["station"] == "barn"',
        'r["camera"] == "csi"',
    ):
        assert condition in flux
    assert [flux.count(f'yield(name: "{name}")') for name in STATISTICS] == [1, 1, 1]
    assert "every: 5000ms" in flux and "statistic" not in flux


def test_a_long_span_is_answered_from_the_windows() -> None:
    flux = flux_of(LONG_BUCKET, METRIC, 0, 10**12, 600_000, wide=True)
    assert [flux.count(f'r["statistic"] == "{name}"') for name in STATISTICS] == [1, 1, 1]


def test_no_text_can_leave_its_string() -> None:
    assert text('a"b\\${c}') == '"a\\"b\\\\\\${c}"'
    for name in (
        'audio/level:level_db") |> drop()',
        "audio/level",
        ":level_db",
        "audio/+:level_db",
    ):
        with pytest.raises(UnknownError):
            read(name, "home")


async def test_a_server_that_is_not_there_is_said() -> None:
    influx = Influx(Influxdb(url="http://127.0.0.1:9", timeout=1))
    with pytest.raises(OSError, match=r"InfluxDB at http://127\.0\.0\.1:9 does not answer"):
        await influx.sources("home")


@pytest.mark.parametrize("wrong", [{"store": "influxdb"}, {"record": False}])
def test_settings_that_would_do_nothing_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=r"needs history\.influxdb\.url|nothing to do"):
        History.model_validate(wrong)
