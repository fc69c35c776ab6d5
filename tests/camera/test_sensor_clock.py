"""Sensor time out of rpicam-vid's metadata file, whenever that is written."""

from pathlib import Path

import pytest
from camera.sensor_clock import SensorClock
from media.clock import boottime


@pytest.mark.parametrize("early", [True, False])
def test_each_picture_gets_its_own_records_time(tmp_path: Path, early: bool) -> None:
    path = tmp_path / "csi.metadata.json"
    path.write_text('{"SensorTimestamp": 5\n}')
    clock = SensorClock(path)
    lags = []
    with path.open("w") as file:
        for _ in range(20):
            now = boottime()
            record = f'{{\n    "SensorTimestamp": {int((now - 0.05) * 1e9)},\n    "Lux": 1\n}},\n'
            if early:
                file.write(record)
                file.flush()
            # Times are in whole microseconds from the first, here from an arbitrary start.
            lags.append(now - clock.capture(now - 1000, now))
            if not early:
                file.write(record)
                file.flush()
    clock.close()
    assert lags[1:] == pytest.approx([0.05] * 19, abs=1e-3)
    assert clock.believed


def test_without_metadata_arrival_counts(tmp_path: Path) -> None:
    clock = SensorClock(tmp_path / "absent")
    now = boottime()
    assert clock.capture(0, now) == now
    assert not clock.believed
    clock.close()


def test_a_wall_clock_that_is_set_does_not_move_the_pictures(tmp_path: Path) -> None:
    path = tmp_path / "csi.metadata.json"
    clock = SensorClock(path)
    lags = []
    with path.open("w") as file:
        for number in range(40):
            now = boottime()
            leap = 3600 if number >= 20 else 0
            file.write(f'{{\n    "SensorTimestamp": {int((now - 0.05) * 1e9)}\n}},\n')
            file.flush()
            lags.append(now - clock.capture(now - 1000 + leap, now))
    clock.close()
    assert lags == pytest.approx([0.05] * 40, abs=1e-3)
