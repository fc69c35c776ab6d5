"""Pictures that browsers would show wrongly are put right, and the status says so."""

from collections.abc import Callable
from pathlib import Path

import pytest
from camera.description import Description
from camera.treatment import Treatment
from camera_ear import Ear, decode, variables
from camera_sources.clips import clip, pictures
from camera_sources.paced import PacedServer
from camera_sources.parameter_sets import (
    PPS,
    Nals,
    byte_stream,
    pps_as,
    slice_as,
    with_ids,
    with_unused_pps,
    with_used_pps,
)
from conftest import Start
from media.cmaf import Init
from media.h264 import Orientation, Sps, display_orientation, nal_type
from media.jpeg import JpegError, JpegHeader

X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "10", "-pix_fmt", "yuv420p")
FIELDS = ("-flags", "+ildct+ilme")
TURNED = ("-bsf:v", "h264_metadata=display_orientation=insert:rotate=90")

CASES: dict[str, tuple[tuple[str, ...], dict[str, str], str, tuple[int, int]]] = {
    "interlaced H.264": (
        ("mpegts", "-c:v", "libx264", "-bf", "0", "-g", "10", "-pix_fmt", "yuv420p", *FIELDS),
        {},
        "encoded again, since its pictures are interlaced; deinterlaced",
        (320, 240),
    ),
    "interlaced MPEG-2": (
        ("mpegts", "-c:v", "mpeg2video", "-b:v", "1M", *FIELDS, "-top", "1"),
        {},
        "encoded again, since it is not H.264; deinterlaced",
        (320, 240),
    ),
    "turned by SEI": (
        ("mpegts", *X264, *TURNED),
        {},
        "encoded again, since its picture has to be turned; turned by 270°",
        (240, 320),
    ),
    "pixels that are not square": (
        ("mpegts", *X264, "-vf", "setsar=16/11"),
        {},
        "encoded again, since its pixels are not square",
        (464, 240),
    ),
    "larger than wished": (
        ("mp4", *X264, "-vf", "scale=2560:1440,setsar=1"),
        {"width": "1280", "height": "704"},
        "encoded again, since its 2560x1440 pixels are more than 1280x704",
        (1250, 704),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_browsers_would_show_wrongly(
    start: Start, ear: Ear, tmp_path: Path, name: str
) -> None:
    (form, *options), wished, warning, size = CASES[name]
    film = tmp_path / "film"
    film.write_bytes(clip(form, *options))
    start("camera", "film", **variables("film", driver="url", url=film.as_uri(), **wished))
    status = ear.said(lambda s: s.encoding == "software" and s.width, "pictures")
    assert status.warning == warning
    assert (status.width, status.height) == pytest.approx(size, abs=2)
    init, _, header = ear.inits["video"][-1]
    assert not Sps.parse(init.sps).interlaced
    ear.more(20)
    session = ear.video[-1].session
    data = b"".join(f.payload for f in ear.video if f.session == session)
    assert len(decode(header, data, init.width, init.height, 10)) == 10


def test_a_size_that_nobody_wished_is_copied(start: Start, ear: Ear, tmp_path: Path) -> None:
    film = tmp_path / "film"
    film.write_bytes(clip("mp4", *X264, "-vf", "scale=2560:1440,setsar=1"))
    start("camera", "film", **variables("film", driver="url", url=film.as_uri()))
    status = ear.said(lambda s: s.state == "streaming" and s.width, "pictures")
    assert (status.encoding, status.warning, status.width) == ("copy", None, 2560)


def second_pps_changes(units: list[Nals]) -> list[Nals]:
    """In the middle of each group the PPS in use gets another content."""
    other = next(nal for nal in pictures("320x240", 10, 3)[0] if nal_type(nal) == PPS)
    changed = pps_as(other, 9)
    return [
        [changed, *[slice_as(n, 9) if nal_type(n) == 1 else n for n in unit]]
        if place % 10 >= 5
        else unit
        for place, unit in enumerate(units)
    ]


CARRIED: dict[str, Callable[[list[Nals]], list[Nals]]] = {
    "two PPS, one unused": lambda units: with_unused_pps(units, 1),
    "three PPS": lambda units: with_unused_pps(units, 1, 2),
    "two PPS, both used": lambda units: with_used_pps(units, 1),
    "ids other than zero": lambda units: with_ids(units, 3, 4),
}


@pytest.mark.parametrize("name", CARRIED)
def test_all_parameter_sets_are_carried(start: Start, ear: Ear, name: str) -> None:
    units = CARRIED[name](pictures())
    server = PacedServer([byte_stream([unit]) for unit in units], 10)
    try:
        url = f"tcp://127.0.0.1:{server.port}"
        start("camera", "door", **variables("door", driver="url", url=url, stall_timeout="5"))
        ear.more(30)
    finally:
        server.close()
    assert {(s.encoding, s.warning) for s in ear.statuses if s.state == "streaming"} == {
        ("copy", None)
    }
    init, _, header = ear.inits["video"][-1]
    assert isinstance(init, Init)
    session = ear.video[-1].session
    data = b"".join(f.payload for f in ear.video if f.session == session)
    assert len(decode(header, data, 320, 240, 20)) == 20


def test_a_set_that_changes_between_key_frames_cannot_be_carried(start: Start, ear: Ear) -> None:
    units = second_pps_changes(pictures())
    server = PacedServer([byte_stream([unit]) for unit in units], 10)
    try:
        url = f"tcp://127.0.0.1:{server.port}"
        start("camera", "door", **variables("door", driver="url", url=url, stall_timeout="5"))
        status = ear.said(lambda s: s.state == "streaming" and s.encoding == "software", "pictures")
    finally:
        server.close()
    wanted = "encoded again, since its parameter sets change between key frames"
    assert status.warning == wanted


def test_a_stream_that_changes_its_size_begins_a_new_session(start: Start, ear: Ear) -> None:
    units = [*pictures(), *pictures("160x120")]
    server = PacedServer([byte_stream([unit]) for unit in units], 10)
    try:
        url = f"tcp://127.0.0.1:{server.port}"
        start("camera", "door", **variables("door", driver="url", url=url, stall_timeout="5"))
        ear.said(lambda s: s.width == 320, "the first size")
        ear.said(lambda s: s.width == 160, "the second size")
    finally:
        server.close()
    assert {s.encoding for s in ear.statuses if s.state == "streaming"} == {"copy"}
    assert ear.statuses[-1].restarts == 0


def test_what_ffmpeg_says_of_an_input_is_read() -> None:
    told: list[bool] = []
    about = Description(str, lambda: told.append(True))
    about.feed(
        b"[info] Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'x':\n"
        b"[info]   Duration: 00:00:10.00, start: 0.000000, bitrate: 8 kb/s\n"
        b"[info]   Stream #0:0: Video: mpeg2video (Main), yuv420p(tv, top first), 720x576\n"
        b"[info]     Side data:\n[info]       displaymatrix: rotation of -90.00 degrees\n"
        b"[h264 @ 0x5] [error] it is broken\n[info] Output #0, nut, to 'pipe:1':\n"
        b"[info]       displaymatrix: rotation of 180.00 degrees\n"
    )
    assert about.containers >= {"mov", "mp4"}
    assert (about.has_end, about.interlaced, about.clockwise) == (True, True, 90.0)
    assert (about.timed, about.parsed, about.in_segments) == (True, False, False)
    assert about.lines == ["it is broken"]
    assert told == [True]


def test_bare_pictures_have_no_times() -> None:
    for name, parsed in ((b"mpjpeg", False), (b"h264", True), (b"jpeg_pipe", True)):
        about = Description(str, lambda: None)
        about.feed(b"[info] Input #0, " + name + b", from 'x':\n[info]   Duration: N/A, bit\n")
        assert (about.timed, about.parsed, about.has_end) == (False, parsed, False)


def test_filters_come_in_their_order() -> None:
    turned = Treatment(320, 240, True, Orientation(True, False, 90.0))
    names = [part.split("=")[0] for part in turned.filters((640, 480), 5.0).split(",")]
    assert names[:4] == ["trim", "bwdif", "hflip", "transpose"]
    assert turned.words == "deinterlaced, mirrored, turned by 90°"


def test_orientation_is_read_from_sei() -> None:
    # Payload type 47, 3 bytes: not cancelled, vertical flip, a quarter turn anticlockwise.
    bits = "0" + "0" + "1" + f"{16384:016b}" + "1" + "0" * 4
    payload = int(bits, 2).to_bytes(3, "big")
    assert display_orientation(b"\x06\x2f\x03" + payload + b"\x80") == Orientation(
        False, True, 270.0
    )
    assert display_orientation(b"\x06\x05\x02ab\x80") is None
    assert display_orientation(b"\x67\x42") is None


def test_size_and_fields_of_a_jpeg_are_read() -> None:
    frame = b"\xff\xc0\0\x0b\x08\0\xf0\x01\x40\x01\x01\x11\0"
    fields = b"\xff\xe0\0\x10AVI1\1" + bytes(9)
    assert JpegHeader.parse(b"\xff\xd8" + frame) == JpegHeader(320, 240)
    assert JpegHeader.parse(b"\xff\xd8" + fields + frame) == JpegHeader(320, 240, True)
    for broken in (b"", b"<html>", b"\xff\xd8\xff\xd9", b"\xff\xd8\xff\xe0\0\x10AVI1"):
        with pytest.raises(JpegError):
            JpegHeader.parse(broken)
