"""Sensor time out of rpicam-vid's metadata file, whenever that is written."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from camera.sensor_clock import SensorClock
from media.clock import boottime

LAG = 0.05
"""Seconds from the sensor to the arrival."""
FRAME = 0.1


def record(taken: float, wall: float | None = None) -> str:
    """As rpicam-vid writes it: the closing brace comes with the next record."""
    clock = f'    "FrameWallClock": {round(wall * 1e9)},\n' if wall is not None else ""
    return f'{{\n    "SensorTimestamp": {round(taken * 1e9)},\n{clock}    "Lux": 1\n'


class Run:
    """A run of rpicam-vid: `moments` are the times of pictures, `records` what the file gets."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "csi.metadata.json"
        self.path.write_text('{"SensorTimestamp": 5\n}')
        self.clock = SensorClock(self.path)
        self.begun = boottime() - LAG
        self._file = self.path.open("w")
        self._file.write("[\n")

    def write(self, text: str) -> None:
        self._file.write(text)
        self._file.write("},\n")
        self._file.flush()

    def error(self, frame: int, since: float) -> float:
        """By how much the time of a frame is wrong, in s; `since`: its time from the first one."""
        taken = self.begun + frame * FRAME
        return self.clock.capture(since, taken + LAG) - taken

    def close(self) -> None:
        self._file.close()
        self.clock.close()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    run = Run(tmp_path)
    yield run
    run.close()


@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize("wall", [None, 1e9])
def test_each_picture_gets_the_sensors_time(run: Run, early: bool, wall: float | None) -> None:
    def write(frame: int) -> None:
        taken = run.begun + frame * FRAME
        run.write(record(taken, None if wall is None else taken + wall))

    errors = []
    for frame in range(20):
        if early:
            write(frame)
        errors.append(run.error(frame, frame * FRAME))
        if not early:
            write(frame)
    assert errors[1:] == pytest.approx([0] * 19, abs=1e-3)
    assert run.clock.believed


@pytest.mark.parametrize("wall", [None, 1e9])
@pytest.mark.parametrize("lost", [{5}, {3, 4, 9}, set(range(2, 18))])
def test_lost_frames_do_not_shift_the_time_of_those_behind(
    run: Run, lost: set[int], wall: float | None
) -> None:
    """A record goes out with each picture: after a lost frame it is the one of an earlier frame."""
    waiting = []
    for frame in range(20):
        taken = run.begun + frame * FRAME
        waiting.append(record(taken, None if wall is None else taken + wall))
        if frame not in lost:
            if frame:
                assert run.error(frame, frame * FRAME) == pytest.approx(0, abs=1e-3)
            else:
                run.error(0, 0)
            run.write(waiting.pop(0))
    assert run.clock.believed


def test_without_metadata_arrival_counts(tmp_path: Path) -> None:
    clock = SensorClock(tmp_path / "absent")
    now = boottime()
    assert clock.capture(0, now) == now
    assert not clock.believed
    clock.close()


@pytest.mark.parametrize("step", [3600.0, -3600.0, 40 * 86400.0])
def test_a_wall_clock_that_is_set_moves_one_picture_at_most(run: Run, step: float) -> None:
    def wall(frame: int) -> float:
        return 1e9 + (step if frame >= 20 else 0)

    errors = []
    for frame in range(40):
        taken = run.begun + frame * FRAME
        since = frame * FRAME + wall(frame) - wall(0)
        errors.append(run.error(frame, since))
        run.write(record(taken, taken + wall(frame)))
    assert errors[1:20] == pytest.approx([0] * 19, abs=1e-3)
    assert errors[21:] == pytest.approx([0] * 19, abs=1e-3)
    assert 0 <= errors[20] <= LAG + 1e-6
