"""The beep of the test camera: 1 kHz, 50 ms, at each whole second."""

from array import array

import pytest
from camera.sound import PACKET, samples


def level(data: bytes) -> list[int]:
    return list(array("h", data))


@pytest.mark.parametrize("start", [0.0, 0.013, 0.98, 0.999, 0.9999999])
def test_a_packet_has_its_960_samples(start: float) -> None:
    assert len(level(samples(1_795_318_640 + start))) == PACKET


def test_the_beep_begins_with_the_second_and_lasts_50_ms() -> None:
    second = b"".join(samples(1_795_318_640 + number * 0.02) for number in range(50))
    sounding = [n for n, value in enumerate(level(second)) if value]
    assert 0 < sounding[0] <= 1
    assert 2398 <= sounding[-1] < 2400


def test_a_packet_over_the_second_has_the_beginning_of_the_next_beep() -> None:
    piece = level(samples(1_795_318_640.99))
    assert not any(piece[:479])
    assert any(piece[482:])
