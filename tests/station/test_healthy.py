"""What the health check of a container says of what its service wrote."""

import json
from pathlib import Path
from typing import Any

import pytest
from bus.health import Health
from bus.messages import CameraStatus, ServiceStatus
from bus.topics import CAMERA_STATUS, SERVICE_STATUS
from station.healthy import complaint

NOW = 1_800_000_000.0


def written(folder: Path, age: float, camera: dict[str, Any] | None = None) -> Path:
    file = folder / "health.json"
    health = Health(file)
    status = ServiceStatus(state="online", version="1", started_at=1, timestamp=NOW - age)
    health.confirmed(SERVICE_STATUS, status.model_dump_json().encode())
    if camera:
        about = CameraStatus.model_validate(
            {"timestamp": NOW, "interval": 10, "driver": "v4l2"} | camera
        )
        health.confirmed(CAMERA_STATUS, about.model_dump_json().encode())
    return file


@pytest.mark.parametrize(
    ("age", "camera", "said"),
    [
        (5, None, ""),
        (40, None, "no service status for 40 s"),
        (5, {"state": "streaming", "last_frame_at": NOW - 1}, ""),
        (5, {"state": "streaming", "last_frame_at": NOW - 20}, "no frame for 20 s"),
        (5, {"state": "backoff", "error": "no camera: plug it in"}, ""),
        (5, {"state": "stopped"}, ""),
        (5, {"state": "stopped", "timestamp": NOW - 60}, "no camera status for 60 s"),
    ],
)
def test_work_is_healthy_and_an_absent_device_that_is_reported_too(
    tmp_path: Path, age: float, camera: dict[str, Any] | None, said: str
) -> None:
    found = complaint(written(tmp_path, age, camera), NOW)
    assert found.endswith(said) and bool(found) == bool(said)


def test_a_camera_of_which_nothing_leaves_is_not(tmp_path: Path) -> None:
    file = written(tmp_path, 5, {"state": "streaming", "last_frame_at": NOW - 1})
    said = json.loads(file.read_text())
    said["service"]["problems"] = {"audio": "no such device"}
    file.write_text(json.dumps(said))
    assert not complaint(file, NOW), "absent and said to be"
    said["service"]["problems"] = {"media": "the broker is away"}
    file.write_text(json.dumps(said))
    assert complaint(file, NOW) == "the broker is away"


def test_a_service_that_the_broker_never_heard_is_not(tmp_path: Path) -> None:
    assert "nothing yet" in complaint(tmp_path / "health.json", NOW)
    (tmp_path / "health.json").write_text(json.dumps("half")[:3])
    assert "nothing yet" in complaint(tmp_path / "health.json", NOW)


def test_a_file_that_cannot_be_written_costs_the_service_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    status = ServiceStatus(state="online", version="1", started_at=1, timestamp=NOW)
    Health(tmp_path / "nowhere" / "health.json").confirmed(
        SERVICE_STATUS, status.model_dump_json().encode()
    )
    assert "the health check's file" in caplog.text
