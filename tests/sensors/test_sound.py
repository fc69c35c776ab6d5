"""Levels as published."""

import pytest
from sensors.level import FLOOR, Level
from sensors.settings import Audio
from sensors.sound import message


@pytest.mark.parametrize(
    ("rms", "offset", "db"), [(-40.0, 100.0, 60.0), (-40.0, 94.0, 54.0), (FLOOR, 0.0, -100.0)]
)
def test_decibels_are_those_of_the_samples_and_the_offset(
    rms: float, offset: float, db: float
) -> None:
    reading = message(
        Level(1_800_000_000.5, rms, rms + 10), Audio(db_offset=offset, interval=2), False
    )
    assert (reading.level_db, reading.level_dbfs, reading.peak_dbfs) == (db, rms, rms + 10)
    assert (reading.timestamp, reading.interval) == (1_800_000_000.5, 2)
    assert not reading.simulated


def test_made_up_sound_says_so() -> None:
    assert message(Level(1, -50, -40), Audio(), simulated=True).simulated
