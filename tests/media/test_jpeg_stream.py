"""JPEGs out of what cameras send: whatever stands around them, and however it is cut."""

import subprocess
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from media.jpeg_stream import LARGEST, JpegStream, JpegStreamError


def pictures(size: str, count: int = 3, *options: str) -> list[bytes]:
    """Real ones, by ffmpeg."""
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"testsrc2=size={size}:rate=5"]
    command += ["-frames:v", str(count), *options, "-f", "mpjpeg", "-"]
    sent = subprocess.run(command, capture_output=True, check=True).stdout
    return [
        b"\xff\xd8" + part.rsplit(b"\xff\xd9", 1)[0] + b"\xff\xd9"
        for part in sent.split(b"\r\n\r\n\xff\xd8")[1:]
    ]


SMALL = pictures("64x48")
LARGE = pictures("320x240", 2)
THUMB = (
    SMALL[0][:2] + b"\xff\xe1" + (len(SMALL[1]) + 2).to_bytes(2, "big") + SMALL[1] + SMALL[0][2:]
)
"""A picture that carries another one in its APP1, as EXIF does."""


def test_the_pictures_of_this_test_are_such() -> None:
    assert len(SMALL) == 3
    assert all(one != two for one, two in pairwise(SMALL))
    assert all(len(picture) > 500 for picture in SMALL)


AROUND = {
    "bare": (b"", b""),
    "fields": (b"--myb\r\nContent-Type: image/jpeg\r\nContent-Length: 9\r\n\r\n", b"\r\n"),
    "no line end behind": (b"--myb\r\nContent-Type: image/jpeg\r\n\r\n", b""),
    "page": (b"--myb\r\n\r\n<html>500 \xff\xff</html>\r\n--myb\r\n\r\n", b"\r\n"),
    "empty part": (b"--myb\r\nContent-Length: 0\r\n\r\n\r\n--myb\r\n\r\n", b"\r\n"),
    "fill bytes": (b"\0\0\xff", b"\0" * 100),
}


@pytest.mark.parametrize("kind", AROUND)
@pytest.mark.parametrize("step", [1, 7, 1000, 1 << 20])
def test_whatever_stands_around_them(kind: str, step: int) -> None:
    before, behind = AROUND[kind]
    wanted = [SMALL[0], LARGE[0], THUMB, SMALL[2], LARGE[1]]
    sent = b"".join(before + picture + behind for picture in wanted)
    stream = JpegStream()
    found = [one for at in range(0, len(sent), step) for one in stream.feed(sent[at : at + step])]
    assert found == wanted


def test_a_picture_is_there_with_its_last_byte() -> None:
    stream = JpegStream()
    assert stream.feed(SMALL[0][:-1]) == []
    assert stream.feed(SMALL[0][-1:]) == [SMALL[0]]


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9])
def test_one_that_is_cut_off_is_left_out(part: float) -> None:
    cut = SMALL[1][: int(len(SMALL[1]) * part)]
    fields = b"\r\n--myb\r\nContent-Type: image/jpeg\r\n\r\n"
    sent = fields.join([SMALL[0], cut, SMALL[2], LARGE[0], LARGE[1]])
    found = JpegStream().feed(sent)
    # Cut within its tables, the next one may be taken for the rest of it.
    assert found[0] == SMALL[0]
    assert found[-2:] == LARGE
    assert cut not in found


def test_what_never_is_a_picture_ends_it() -> None:
    stream = JpegStream()
    with pytest.raises(JpegStreamError):
        for _ in range(LARGEST // 65536 + 2):
            stream.feed(b"<html>" * 10923)
    stream = JpegStream()
    with pytest.raises(JpegStreamError):
        stream.feed(LARGE[0][:-2] + bytes(LARGEST))


@given(
    st.lists(st.binary(max_size=40) | st.sampled_from([b"\xff\xd8\xff", b"\xff\xda\0\2", b"\xff"]))
)
def test_any_rubbish_is_survived_and_the_second_picture_behind_it_is_found(
    rubbish: list[bytes],
) -> None:
    stream = JpegStream()
    for piece in rubbish:
        stream.feed(piece)
    # What looks like a table may take up to 64 KiB for its own.
    found = stream.feed(bytes(70_000) + SMALL[0] + SMALL[1])
    assert found[-1] == SMALL[1]
