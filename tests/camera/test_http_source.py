"""Cameras over HTTP: whole pictures of whatever they send, stills again and again, causes."""

import itertools
import socket
from collections.abc import Iterator

import pytest
from bus.address import Address
from camera.http_source import HttpSource, opened
from camera.source import SourceError
from http_camera import HttpCamera


@pytest.fixture
def camera() -> Iterator[HttpCamera]:
    """One that asks nobody who he is."""
    with HttpCamera() as camera:
        yield camera


async def take(url: str, count: int, fps: float = 50) -> tuple[HttpSource, list[bytes]]:
    """The first pictures."""
    found: list[bytes] = []
    async with opened(Address.parse(url)) as source:
        assert source.kind == "jpeg"
        async for picture in source.pictures(fps):
            found.append(picture)
            if len(found) == count:
                break
    return source, found


@pytest.mark.parametrize(
    "mode",
    [
        *("ok", "dashes", "quoted", "space", "noct", "noboundary", "nolen", "wronglen", "nocrlf"),
        *("size", "raw"),
    ],
)
async def test_every_picture_comes_through(mode: str, camera: HttpCamera) -> None:
    _, found = await take(camera.url(mode), 20)
    wanted = [camera.pictures[n % 10] for n in range(20)]
    if mode == "size":
        wanted[15:] = [camera.others[n % 10] for n in range(15, 20)]
    assert found == wanted


@pytest.mark.parametrize("mode", ["trunc", "garbage", "empty"])
async def test_what_is_no_picture_is_left_out(mode: str, camera: HttpCamera) -> None:
    _, found = await take(camera.url(mode), 12)
    assert found == [camera.pictures[n % 10] for n in range(18) if n % 3 != 1]


async def test_a_still_is_asked_for_again(camera: HttpCamera) -> None:
    _, found = await take(camera.url("still", query="?channel=1"), 3)
    assert found == camera.pictures[1:4]
    assert {path for path, _ in camera.asked} == {"/still?channel=1"}


async def test_a_still_that_has_not_changed_is_given_again(camera: HttpCamera) -> None:
    camera.tag = '"abc"'
    _, found = await take(camera.url("still"), 3)
    assert found == [camera.pictures[1]] * 3
    assert [fields.get("if-none-match") for _, fields in camera.asked] == [None, '"abc"', '"abc"']


@pytest.mark.parametrize("scheme", ["Basic", "Digest"])
@pytest.mark.parametrize("mode", ["ok", "still"])
async def test_a_login_is_given_as_it_is_asked_for(scheme: str, mode: str) -> None:
    with HttpCamera("me:p@ss/w:rd#1", scheme) as camera:
        login = "me:p%40ss%2Fw:rd%231"
        _, found = await take(camera.url(mode, login, "?a=b&c=%20d"), 3)
        assert len(found) == 3
        given = [fields.get("authorization") for _, fields in camera.asked]
        # Asked for once: a challenge for each picture would double the requests.
        assert given[0] is None
        assert all(one and one.startswith(scheme) for one in given[1:])


@pytest.mark.parametrize(
    ("path", "login", "says"),
    [
        ("page", "", "the camera answered with a web page"),
        ("404", "", "it has no such path (404)"),
        ("403", "", "it forbids this (403)"),
        ("401", "", "it asks for a user name and password (401)"),
        ("401", "me:no", "it refuses this user name or password (401)"),
        ("503", "", "it has an error of its own (503)"),
        ("broken", "", "what it answers is no HTTP"),
    ],
)
async def test_why_there_is_no_picture_is_told(
    path: str, login: str, says: str, camera: HttpCamera
) -> None:
    with pytest.raises(SourceError) as error:
        await take(camera.url(path, login), 1)
    assert str(error.value) == says


async def test_a_camera_that_does_not_answer_is_not_waited_for(
    camera: HttpCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("camera.http_source.PATIENCE", 0.2)
    with pytest.raises(SourceError, match=r"^no answer within 0\.2 s$"):
        await take(camera.url("silent"), 1)


async def test_nobody_there_is_told() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with pytest.raises(SourceError, match=rf"^port {port} refuses connections$"):
            await take(f"http://127.0.0.1:{port}/", 1)
    with pytest.raises(SourceError, match=r"no such host|cannot be resolved"):
        await take("http://door.invalid/", 1)
    with pytest.raises(SourceError, match="TLS"), HttpCamera() as camera:
        await take(camera.url("ok").replace("http:", "https:"), 1)


async def test_a_stream_that_ends_has_ended(camera: HttpCamera) -> None:
    with pytest.raises(SourceError, match=r"^it ended$"):
        await take(camera.url("short"), 6)


async def test_pictures_come_while_the_camera_waits_with_the_next(camera: HttpCamera) -> None:
    camera.rate = 1
    _, found = await take(camera.url("ok"), 1)
    assert list(itertools.chain(found)) == camera.pictures[:1]


@pytest.mark.parametrize(
    ("name", "begins", "kind", "segments", "recording"),
    [
        ("film.mp4", b"\0\0\0\x20ftypisom", "other", False, True),
        ("live.m3u8", b"#EXTM3U\n#EXTINF:2,\na.ts\n", "other", True, False),
        ("film.m3u8", b"#EXTM3U\n#EXTINF:2,\na.ts\n#EXT-X-ENDLIST\n", "other", True, True),
        ("list.mpd", b'<?xml version="1.0"?><MPD/>', "other", True, False),
        ("film.ts", b"G@\0\x10" + bytes(500), "other", False, True),
    ],
)
async def test_lists_and_recordings_are_for_ffmpeg_to_open(
    name: str, begins: bytes, kind: str, segments: bool, recording: bool, camera: HttpCamera
) -> None:
    camera.files[name] = begins
    async with opened(Address.parse(camera.url(name))) as source:
        assert (source.kind, source.segments, source.recording) == (kind, segments, recording)


async def test_bytes_without_an_end_are_read_here(camera: HttpCamera) -> None:
    async with opened(Address.parse(camera.url("bytes"))) as source:
        assert source.kind == "bytes"
        got = b""
        async for chunk in source.chunks():
            got += chunk
            if len(got) >= 4000:
                break
    assert got.startswith(b"G@\0\x10" * 100)
