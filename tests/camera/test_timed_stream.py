"""Pictures and their times out of one pipe, however it is cut into pieces."""

import pytest
from camera.timed_stream import Timed, TimedStream
from media.h264 import H264Error

HEADER = b"# timecode format v2\n"
SETS = b"\0\0\0\1\x67\x42\xc0\x1f\0\0\0\1\x68\xce\x3c\x80"


def picture(last: int) -> bytes:
    """A coded picture that ends with this byte."""
    return b"\0\0\0\1\x41" + bytes(range(1, 200)) + bytes((last,))


def nal(last: int) -> bytes:
    return picture(last)[4:]


FRAMES = [
    SETS + picture(0x80) + HEADER + b"0.000\n",
    picture(0x80) + b"66.667\n",
    b"133.333\n",  # nothing for this frame
    SETS + b"200.000\n",  # no picture
    picture(ord("5")) + b"266.667\n",
    picture(ord(".")) + b"333.333\n",
    picture(ord("1")) + b"1000.000\n",
    picture(0x80) + b"1066.667\n",
]
EXPECTED = [
    Timed([SETS[4:8], SETS[12:], nal(0x80)], 0.0),
    Timed([nal(0x80)], 0.066667),
    Timed([], 0.133333),
    Timed([SETS[4:8], SETS[12:]], 0.2),
    Timed([nal(ord("5"))], 0.266667),
    Timed([nal(ord("."))], 0.333333),
    Timed([nal(ord("1"))], 1.0),
    Timed([nal(0x80)], 1.066667),
]


def flat(frames: list[Timed]) -> list[tuple[list[bytes], int]]:
    return [(frame.nals, round(frame.moment * 1e6)) for frame in frames]


@pytest.mark.parametrize("fps", [0.5, 2, 10, 15, 25, 29.97, 30, 60, 120])
@pytest.mark.parametrize("last", [*b"0123456789-.", 0x80])
def test_no_last_byte_of_a_picture_is_taken_for_its_time(fps: float, last: int) -> None:
    stream = TimedStream(1 / fps)
    for frame in range(300):
        microseconds = round(frame * 1e6 / fps)
        line = f"{microseconds // 1000}.{microseconds % 1000:03d}\n".encode()
        header = b"" if frame else HEADER
        assert flat(stream.feed(picture(last) + header + line)) == [([nal(last)], microseconds)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, 207, 100_000])
def test_each_frame_gets_what_stands_before_its_line(size: int) -> None:
    stream = TimedStream(1 / 15)
    data = b"".join(FRAMES)
    found = []
    for at in range(0, len(data), size):
        found += stream.feed(data[at : at + size])
    assert flat(found) == flat(EXPECTED)


def test_a_frame_is_complete_with_its_line() -> None:
    stream = TimedStream(1 / 15)
    for data, expected in zip(FRAMES, EXPECTED, strict=True):
        assert flat(stream.feed(data)) == flat([expected])


def test_what_looks_like_a_line_within_a_picture_is_none() -> None:
    stream = TimedStream(1 / 15)
    stream.feed(SETS + picture(0x80) + HEADER + b"0.000\n")
    odd = b"\0\0\0\1\x41\x80\x33" + b"9999999999.123\n\x31\x80"
    (frame,) = stream.feed(odd + b"66.667\n")
    assert frame.nals == [odd[4:]]


@pytest.mark.parametrize(
    ("line", "moment"), [(b"3600066.667\n", 3600.066667), (b"-3599933.-333\n", -3599.933333)]
)
def test_a_clock_that_is_set_may_leap_either_way(line: bytes, moment: float) -> None:
    stream = TimedStream(1 / 15)
    stream.feed(SETS + picture(0x80) + HEADER + b"0.000\n")
    assert flat(stream.feed(picture(0x80) + line)) == flat([Timed([nal(0x80)], moment)])


@pytest.mark.parametrize("data", [b"not H.264" + b"1.000\n", b"\0" * (9 << 20)])
def test_what_is_no_such_stream_is_refused(data: bytes) -> None:
    with pytest.raises(H264Error):
        TimedStream(1 / 15).feed(data)
