"""Every alert rule over a station's readings, as Grafana evaluates it: right state, right words."""

import bisect
import json
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from bus.limits import LIMITS, Limit
from bus.messages import (
    AudioLevel,
    CameraMetadata,
    CameraStatus,
    Climate,
    CpuTemperature,
    Message,
    ServiceStatus,
    SystemStats,
)
from bus.points import point
from bus.topics import (
    AUDIO,
    CAMERA_METADATA,
    CAMERA_STATUS,
    CLIMATE,
    CPU,
    SERVICE_STATUS,
    SYSTEM,
    Topic,
)
from flux_interpreter import Row, run
from flux_text import named
from grafana_alerts import DuplicateLabelsError, Told, numbers, watch

FILE = Path("grafana/provisioning/alerting/rules.json")
GROUPS = json.loads(FILE.read_text(encoding="utf-8"))["groups"]
RULES = {rule["uid"]: rule for group in GROUPS for rule in group["rules"]}

ASKED = frozenset[str]().union(
    *(named(rule["data"][0]["model"]["query"]).fields for rule in RULES.values())
)
"""The fields that any rule asks for."""

BEGIN = 1_790_000_040
"""s since 1970, at the beginning of a minute."""
EVERY = 20
"""s between two readings."""
MINUTE = 60

Reading = tuple[Topic[Any], dict[str, str], Message]
Change = Callable[[int, Reading], Reading | None]
"""Second since BEGIN and a reading → what it really was; None = it was never sent."""


def machine(now: float) -> Iterator[Reading]:
    """A good reading of everything that is not a camera."""
    yield (
        CLIMATE,
        {},
        Climate(
            timestamp=now, temperature=21, temperature_raw=24, humidity=45, pressure=1013, iaq=50,
            co2_equivalent=600,
        ),
    )  # fmt: skip
    yield CPU, {}, CpuTemperature(timestamp=now, cpu_temp=45, throttled=0, **bits())
    yield (
        SYSTEM,
        {},
        SystemStats(
            timestamp=now, cpu_percent=20, memory_percent=30, memory_used_bytes=1,
            memory_total_bytes=4, disk_percent=40, load_1m=0.5, uptime_seconds=1000,
            net_rx_bytes=1, net_tx_bytes=1, os="Debian", kernel="6.12",
        ),
    )  # fmt: skip
    yield AUDIO, {}, AudioLevel(timestamp=now, level_db=45, level_dbfs=-45, peak_dbfs=-30)


def bits(**on: bool) -> dict[str, Any]:
    """The firmware's flags of now."""
    flags = ("under_voltage", "frequency_capped", "throttled_now", "soft_temp_limit")
    return {flag: on.get(flag, False) for flag in flags}


def cameras(now: float) -> Iterator[Reading]:
    """Two that stream, and their metadata."""
    for camera in ("csi", "usb"):
        status = CameraStatus(timestamp=now, state="streaming", driver="test", last_frame_at=now)
        yield CAMERA_STATUS, {"camera": camera}, status
    yield CAMERA_METADATA, {"camera": "csi"}, CameraMetadata(timestamp=now, Lux=120)


def services(now: float) -> Iterator[Reading]:
    """All online."""
    for instance in ("camera-csi", "sensors", "web"):
        status = ServiceStatus(timestamp=now, state="online", version="0.2.0", started_at=BEGIN)
        yield SERVICE_STATUS, {"instance": instance}, status


def same(_second: int, reading: Reading) -> Reading | None:
    """Nothing is wrong."""
    return reading


def stored(minutes: int, change: Change = same, **levels: str) -> list[Row]:
    """What InfluxDB has of a station after so many minutes."""
    rows: list[Row] = []
    for second in range(0, minutes * MINUTE, EVERY):
        now = float(BEGIN + second)
        for reading in (*machine(now), *cameras(now), *services(now)):
            if (changed := change(second, reading)) is not None:
                rows += series(*changed, levels)
    return rows


def series(
    topic: Topic[Any], names: dict[str, str], message: Message, levels: dict[str, str]
) -> Iterable[Row]:
    """A message as rows, a field each."""
    kept = point(topic, {**names, **levels}, message)
    for field in kept.fields.keys() & ASKED:
        value = kept.fields[field]
        row: Row = {"_time": kept.moment * 10**6, "_measurement": kept.measurement}
        yield {**row, **kept.tags, "_field": field, "_value": value}


def told(rows: list[Row], minutes: int, first: int = 4) -> list[Told]:
    """Every message of all rules; at each evaluation there is only what had been sent before."""

    rows = sorted(rows, key=itemgetter("_time"))

    def known(now: int) -> list[Row]:
        return rows[: bisect.bisect_left(rows, now * 10**9, key=itemgetter("_time"))]

    return watch(RULES.values(), known, moments(minutes, first))


def moments(minutes: int, first: int = 4) -> list[int]:
    """Evaluations, half a minute past each minute."""
    return [BEGIN + minute * MINUTE + 30 for minute in range(first, minutes)]


def fired(messages: list[Told]) -> dict[str, list[dict[str, str]]]:
    """Rule → the labels of each alert that began."""
    found: dict[str, list[dict[str, str]]] = {}
    for message in messages:
        if message.fires:
            found.setdefault(message.rule, []).append(dict(message.labels))
    return found


def replaced(topic: Topic[Any], since: int = 0, until: int = 10**9, **values: Any) -> Change:
    """A station where one topic says something else for a while."""

    def change(second: int, reading: Reading) -> Reading | None:
        if reading[0] is not topic or not since <= second < until:
            return reading
        return (*reading[:2], reading[2].model_copy(update=values))

    return change


def without(*topics: Topic[Any], since: int = 0) -> Change:
    """A station where these topics fall silent."""

    def change(second: int, reading: Reading) -> Reading | None:
        return None if reading[0] in topics and second >= since else reading

    return change


TOPICS = {topic.path.removeprefix("beeper/"): topic for topic in (CLIMATE, CPU, SYSTEM, AUDIO)}


def test_a_good_station_tells_nothing() -> None:
    assert told(stored(12), 12) == []


def test_a_station_that_is_half_configured_tells_nothing() -> None:
    def half(_second: int, reading: Reading) -> Reading | None:
        topic, names, message = reading
        if topic in (CLIMATE, CAMERA_METADATA) or names.get("camera") == "usb":
            return None
        if topic is CAMERA_STATUS:
            changes = {"state": "stopped", "last_frame_at": None, "demand": "on_demand"}
            return topic, names, message.model_copy(update=changes)
        if isinstance(message, CpuTemperature):
            return topic, names, CpuTemperature(timestamp=message.timestamp)
        return reading

    assert told(stored(12, half), 12) == []


def test_a_camera_that_nobody_watches_any_more_is_not_silent() -> None:
    def stops(second: int, reading: Reading) -> Reading | None:
        topic, names, message = reading
        if second < 300:
            return reading
        if topic is CAMERA_METADATA:
            return None
        if topic is CAMERA_STATUS:
            return topic, names, message.model_copy(update={"state": "stopped"})
        return reading

    assert told(stored(12, stops), 12) == []


BEYOND = [
    (limit, side, severity, bound)
    for limit in LIMITS
    for side, severity, bound in (
        ("high", "warning", limit.warn_above),
        ("high", "critical", limit.bad_above),
        ("low", "warning", limit.warn_below),
        ("low", "critical", limit.bad_below),
    )
    if bound is not None
]


@pytest.mark.parametrize(("limit", "side", "severity", "bound"), BEYOND)
def test_a_value_beyond_a_limit_is_told_once_and_in_words(
    limit: Limit, side: str, severity: str, bound: float
) -> None:
    path, _, field = limit.field.partition(":")
    value = bound + (0.5 if side == "high" else -0.5)
    rows = stored(17, replaced(TOPICS[path], 120, 480, **{field: value}))
    messages = told(rows, 17)

    assert [(one.rule, one.fires) for one in messages] == [
        (f"{field}-{side}-{severity}", True),
        (f"{field}-{side}-{severity}", False),
    ]
    begun, ended = (one.words for one in messages)
    word = {"high": "above", "low": "below"}[side]
    unit = f" {limit.unit}" if limit.unit else ""
    assert f"at home: {value:.1f}{unit} ({severity} {word} {bound:g}{unit})" in begun
    assert " ," not in begun and "[no value]" not in begun + ended
    assert f"({severity} {word} {bound:g}{unit})" in ended


def test_a_warning_goes_on_while_it_is_critical() -> None:
    def rises(second: int, reading: Reading) -> Reading | None:
        if reading[0] is not CLIMATE:
            return reading
        value = 21.0 if second < 120 else 30.0 if second < 600 else 34.0
        return replaced(CLIMATE, temperature=value)(second, reading)

    messages = told(stored(20, rises), 20)

    assert [(one.rule, one.fires) for one in messages] == [
        ("temperature-high-warning", True),
        ("temperature-high-critical", True),
    ]


def test_a_value_that_swings_around_its_limit_is_one_alert() -> None:
    def swings(second: int, reading: Reading) -> Reading | None:
        load = 72.0 if second // MINUTE % 5 < 4 else 66.0
        return replaced(SYSTEM, cpu_percent=load)(second, reading)

    messages = told(stored(40, swings), 40)

    assert [(one.rule, one.fires) for one in messages] == [("cpu_percent-high-warning", True)]


def test_a_minute_that_is_not_over_is_not_judged() -> None:
    rows = stored(6, replaced(AUDIO, 5 * MINUTE, level_db=99))

    (value,) = numbers(query("level_db-high-critical", rows, BEGIN + 5 * MINUTE + 30)).values()

    assert value == 45


def query(uid: str, rows: list[Row], now: int) -> Any:
    """What a rule's query yields at a moment (s)."""
    step = RULES[uid]["data"][0]
    start = now - step["relativeTimeRange"]["from"]
    return run(step["model"]["query"], rows, start * 10**9, now * 10**9)


@pytest.mark.parametrize(
    ("topic", "source"),
    [
        (CLIMATE, "sensors_bme680_all"),
        (CPU, "sensors_cpu_temperature"),
        (SYSTEM, "system_stats"),
        (AUDIO, "audio_level"),
    ],
    ids=str,
)
def test_a_sensor_that_falls_silent_is_named(topic: Topic[Any], source: str) -> None:
    messages = told(stored(12, without(topic, since=300)), 12)

    (message,) = messages
    assert (message.rule, message.fires) == ("silent", True)
    assert message.labels == {"source": source, "station": "home"}
    assert message.words.startswith(f"{source} at home has sent nothing for ")
    assert " 0.0 s" not in message.words


def test_a_camera_that_falls_silent_is_named() -> None:
    def gone(second: int, reading: Reading) -> Reading | None:
        return None if second >= 300 and reading[1].get("camera") == "usb" else reading

    (message,) = told(stored(12, gone), 12)

    assert message.labels == {"source": "camera_status", "station": "home", "camera": "usb"}


def test_all_sensors_silent_are_an_alert_each() -> None:
    messages = told(stored(12, without(*TOPICS.values(), since=300)), 12)

    assert {one.labels["source"] for one in messages} == {
        "sensors_bme680_all",
        "sensors_cpu_temperature",
        "system_stats",
        "audio_level",
    }
    assert {one.rule for one in messages} == {"silent"}


def test_a_station_that_is_off_is_told_once() -> None:
    rows = [row for row in stored(20) if row["_time"] < (BEGIN + 300) * 10**9]

    (message,) = told(rows, 20)

    assert (message.rule, message.labels) == ("storage", {"station": "home"})
    assert message.words.startswith("Nothing from home has been stored for ")


def test_influxdb_that_does_not_answer_is_told_once_and_all_else_keeps_its_state() -> None:
    hot = stored(30, replaced(CLIMATE, temperature=30.0))

    def answer(now: int) -> list[Row] | None:
        if BEGIN + 12 * MINUTE < now < BEGIN + 20 * MINUTE:
            return None
        return [row for row in hot if row["_time"] < now * 10**9]

    messages = watch(RULES.values(), answer, moments(28))

    assert [(one.rule, one.fires) for one in messages] == [
        ("temperature-high-warning", True),
        ("storage", True),
        ("storage", False),
    ]
    assert messages[1].words == "Grafana gets no readings: is InfluxDB down, or Telegraf?"


def test_an_empty_influxdb_is_told_once() -> None:
    messages = told([], 12)

    assert fired(messages) == {"storage": [{}]}
    assert "[no value]" not in messages[0].words


def test_each_flag_of_the_firmware_is_an_alert() -> None:
    flags = bits(under_voltage=True, throttled_now=True)
    messages = told(stored(12, replaced(CPU, 120, **flags)), 12)

    assert fired(messages) == {
        "throttled": [
            {"flag": "under_voltage", "station": "home"},
            {"flag": "throttled_now", "station": "home"},
        ]
    } or fired(messages) == {
        "throttled": [
            {"flag": "throttled_now", "station": "home"},
            {"flag": "under_voltage", "station": "home"},
        ]
    }
    assert messages[0].words.startswith("The firmware at home reports ")


@pytest.mark.parametrize("state", ["backoff", "starting"])
def test_a_camera_without_a_picture_is_named(state: str) -> None:
    def fails(second: int, reading: Reading) -> Reading | None:
        if reading[1].get("camera") != "usb":
            return reading
        return replaced(CAMERA_STATUS, 120, state=state)(second, reading)

    messages = told(stored(12, fails), 12)

    assert fired(messages) == {"camera-down": [{"camera": "usb", "station": "home"}]}
    assert messages[0].words == "Camera usb at home delivers no picture"


def test_a_frozen_picture_is_named_with_its_age() -> None:
    last = float(BEGIN + 120)

    def freezes(second: int, reading: Reading) -> Reading | None:
        if reading[1].get("camera") != "csi":
            return reading
        return replaced(CAMERA_STATUS, 120, last_frame_at=last)(second, reading)

    messages = told(stored(12, freezes), 12)

    assert fired(messages) == {"picture-frozen": [{"camera": "csi", "station": "home"}]}
    assert "picture of camera csi at home is " in messages[0].words


@pytest.mark.parametrize("how", ["its last will", "silence"])
def test_a_lost_service_is_named(how: str) -> None:
    def dies(second: int, reading: Reading) -> Reading | None:
        if reading[1].get("instance") != "sensors" or second < 120:
            return reading
        if how == "silence":
            return None
        return replaced(SERVICE_STATUS, state="lost")(second, reading)

    messages = told(stored(12, dies), 12)

    assert fired(messages) == {"service-lost": [{"instance": "sensors", "station": "home"}]}


def test_stations_of_a_hub_are_told_apart() -> None:
    rows = stored(12, station="attic") + stored(
        12, replaced(CLIMATE, 120, temperature=30.0), station="coop"
    )

    assert fired(told(rows, 12)) == {"temperature-high-warning": [{"station": "coop"}]}


@pytest.mark.parametrize("uid", RULES)
def test_no_rule_tells_series_apart_by_what_grafana_drops(uid: str) -> None:
    """The whole station at once: a rule that keeps `_measurement` or `_field` apart has
    duplicates."""
    flags = bits(under_voltage=True, throttled_now=True, soft_temp_limit=True)
    rows = stored(6, replaced(CPU, **flags)) + stored(6, station="coop")

    found = numbers(query(uid, rows, BEGIN + 5 * MINUTE + 30))

    assert found
    assert all("station" in dict(labels) for labels in found)


def test_the_imitation_sees_duplicates() -> None:
    flux = (
        'from(bucket: "sensors") |> range(start: v.timeRangeStart, stop: v.timeRangeStop)'
        ' |> filter(fn: (r) => r._field == "simulated" and (r._measurement == "audio_level"'
        ' or r._measurement == "system_stats")) |> last()'
        ' |> group(columns: ["_measurement", "station"])'
    )
    rows = stored(2)

    with pytest.raises(DuplicateLabelsError, match="home"):
        numbers(run(flux, rows, BEGIN * 10**9, (BEGIN + 120) * 10**9))
