"""The mapping of topics to series."""

import pytest
from bus import topics as t
from bus.messages import CameraStatus, Climate, CpuTemperature, Metric, RelayStatus, ServiceStatus
from bus.points import MEASUREMENTS, METRICS, moment, point

CLIMATE = Climate(
    timestamp=1764059123.1235, temperature=20, temperature_raw=21, humidity=50, pressure=1013
)


def test_every_metric_of_the_contract_is_kept() -> None:
    metrics = {topic.path for topic in t.TOPICS if issubclass(topic.model, Metric)}

    assert metrics <= {topic.path for topic in METRICS}
    assert all(topic.retain and "timestamp" in topic.model.model_fields for topic in METRICS)


def test_names_are_unique_and_no_tag_is_a_field() -> None:
    kept = MEASUREMENTS.values()

    assert len({each.name for each in kept}) == len(METRICS)
    assert not [name for each in kept for name in each.tags if name in each.fields]


def test_a_reading_is_a_point_of_its_own_time_and_types() -> None:
    stored = point(t.CLIMATE, {}, CLIMATE)

    assert stored.measurement == "sensors_bme680_all"
    assert stored.tags == {"station": "home", "sensor": "bme680"}
    assert stored.moment == 1764059123124
    assert stored.fields["temperature"] == 20.0
    assert isinstance(stored.fields["temperature"], float)
    assert "iaq" not in stored.fields


def test_levels_and_the_camera_of_a_relay_are_tags() -> None:
    camera = CameraStatus(timestamp=1, state="streaming", driver="test", fps=15)
    relay = RelayStatus(timestamp=1, camera="csi", target="rtsp://x", state="streaming")

    stored = point(t.CAMERA_STATUS, {"camera": "csi", "station": "barn"}, camera)
    assert stored.tags == {"station": "barn", "camera": "csi"}
    assert stored.fields["fps"] == 15.0
    pushed = point(t.RELAY_STATUS, {"relay": "mediamtx"}, relay)
    assert pushed.tags == {"station": "home", "relay": "mediamtx", "camera": "csi"}
    assert "camera" not in pushed.fields


def test_booleans_stay_booleans_and_problems_are_counted() -> None:
    cpu = CpuTemperature(timestamp=1, under_voltage=True, cpu_temp=50)
    service = ServiceStatus(
        state="online", version="1", started_at=1, timestamp=2, problems={"bme680": "not there"}
    )

    assert point(t.CPU, {}, cpu).fields["under_voltage"] is True
    assert MEASUREMENTS[t.CPU.path].fields["under_voltage"] == "bool"
    assert point(t.SERVICE_STATUS, {"instance": "sensors"}, service).fields["problems"] == 1


def test_what_is_no_metric_is_not_kept() -> None:
    with pytest.raises(KeyError):
        point(t.CHAT_HISTORY, {}, CLIMATE)


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        (1764059123.0004997, 1764059123000),
        (1764059123.0005, 1764059123001),
        (1764059123.0, 1764059123000),
    ],
)
def test_time_is_rounded_half_up(timestamp: float, expected: int) -> None:
    assert moment(timestamp) == expected
