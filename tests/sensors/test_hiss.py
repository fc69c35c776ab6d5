"""Made-up sound."""

import pytest
from sensors.hiss import BLOCK, LOUDNESS, noise
from sensors.level import Meter, decibels


@pytest.mark.parametrize("amplitude", LOUDNESS)
def test_a_block_is_as_loud_as_it_was_ordered(amplitude: float) -> None:
    meter = Meter()
    block = noise(amplitude)
    meter.add(block)
    level = meter.take()
    assert level is not None
    assert len(block) == 2 * 48_000 * BLOCK
    assert level.rms == pytest.approx(decibels(amplitude), abs=0.3)
