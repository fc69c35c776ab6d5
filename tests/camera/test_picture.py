"""The test picture: what a machine reads in it, and that it moves."""

import itertools

import pytest
from camera.picture import BLACK, CODE_ROWS, WHITE, Picture, code_row, crc8


def read_clock(row: bytes) -> int | None:
    """Read the machine-readable clock from a row of luma, None when the checksum is wrong."""
    bits = 0
    for cell in range(40):
        bits = bits << 1 | (row[(2 * cell + 1) * len(row) // 80] > 128)
    stamp = (bits >> 8).to_bytes(4, "big")
    return bits >> 8 if crc8(stamp) == bits & 0xFF else None


def test_crc_is_the_one_of_smbus() -> None:
    assert crc8(b"123456789") == 0xF4


@pytest.mark.parametrize("width", [160, 640, 800, 1296])
def test_the_clock_can_be_read_at_any_width(width: int) -> None:
    row = code_row(1_795_318_640_479, width)
    assert len(row) == width
    assert set(row) <= {BLACK, WHITE}
    assert read_clock(row) == 1_795_318_640_479 % (1 << 32)


def test_planes_have_the_size_of_the_format() -> None:
    luma, first, second = Picture(800, 600).draw(1_795_318_640.479)
    assert (len(luma), len(first), len(second)) == (800 * 600, 400 * 300, 400 * 300)


def test_every_picture_differs_from_the_one_before() -> None:
    picture = Picture(320, 240)
    frames = []
    for number in range(300):
        luma, *chroma = picture.draw(1_795_318_640 + number / 30)
        assert read_clock(bytes(luma[:320])) is not None
        frames.append(bytes(luma[CODE_ROWS * 320 :]) + b"".join(chroma))
        assert len(frames[-1]) == 320 * (240 - CODE_ROWS) + 2 * 160 * 120
    assert all(one != other for one, other in itertools.pairwise(frames))


def test_people_can_read_the_time() -> None:
    picture = Picture(800, 600)
    luma = bytes(picture.draw(1_795_318_640.479)[0])
    scale = 800 // 160
    top, left = CODE_ROWS + 2 * scale, 4 * scale
    last = left + 11 * 6 * scale
    shape = [
        "".join(
            "#" if luma[(top + row * scale) * 800 + last + column * scale] == WHITE else "."
            for column in range(5)
        )
        for row in range(7)
    ]
    assert shape == [".###.", "#...#", "#...#", ".####", "....#", "...#.", ".##.."]
