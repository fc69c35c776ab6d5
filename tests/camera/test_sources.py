"""The driver url with sources as real cameras are: no times, wrong clocks, live or not."""

import itertools
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from camera_ear import Ear, Fragment, variables
from camera_sources.clips import clip, jpegs, pictures
from camera_sources.paced import HEAD, PacedServer, part
from camera_sources.parameter_sets import byte_stream, without_vui
from camera_sources.rtsp_clock import CLOCKS, ClockedCamera
from conftest import Start

Serve = Callable[..., PacedServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts paced servers for as long as the test lasts."""
    servers: list[PacedServer] = []

    def start_one(*arguments: object, **options: object) -> PacedServer:
        servers.append(PacedServer(*arguments, **options))  # type: ignore[arg-type]
        return servers[-1]

    yield start_one
    for server in servers:
        server.close()


def captured(fragments: list[Fragment]) -> list[float]:
    """Boot seconds at which the pictures were taken, as the station says."""
    return [fragment.header.tfdt / 90_000 for fragment in fragments]


def errors(fragments: list[Fragment], sent: list[float]) -> list[float]:
    """How far each capture is from the moment at which the source sent a picture."""
    return [min(abs(taken - moment) for moment in sent) for taken in captured(fragments)]


def steps(fragments: list[Fragment]) -> list[float]:
    """Seconds between two captures."""
    return [two - one for one, two in itertools.pairwise(captured(fragments))]


def key_steps(fragments: list[Fragment]) -> list[float]:
    """Seconds between the captures of two key frames."""
    return steps([fragment for fragment in fragments if fragment.header.key])


@pytest.mark.parametrize(
    ("rate", "jitter", "count"),
    [(0.2, 0.0, 3), (1, 0.2, 8), (5, 0.0, 40), (5, 0.5, 40), (15, 0.5, 100), (60, 0.5, 300)],
)
def test_motion_jpeg_has_times_by_its_arrival(
    start: Start, ear: Ear, serve: Serve, rate: float, jitter: float, count: int
) -> None:
    server = serve([part(jpeg) for jpeg in jpegs()], rate, head=HEAD, jitter=jitter)
    url = f"http://127.0.0.1:{server.port}/video"
    start("camera", "door", **variables("door", driver="url", url=url, stall_timeout="5"))
    ear.more(count // 2)
    frames = ear.more(count)
    assert server.connections == 1
    assert statistics.median(steps(frames)) == pytest.approx(1 / rate, rel=0.1)
    assert statistics.median(errors(frames, server.sent)) < 0.6 / rate
    wanted = max(1.0, 1 / rate)
    assert statistics.median(key_steps(frames)) == pytest.approx(wanted, rel=0.25)
    status = ear.said(lambda s: s.state == "streaming", "pictures")
    assert (status.encoding, status.restarts) == ("software", 0)
    assert status.warning == "encoded again, since it is not H.264"


def test_jitter_of_arrival_is_levelled_out(start: Start, ear: Ear, serve: Serve) -> None:
    server = serve([part(jpeg) for jpeg in jpegs()], 10, head=HEAD, jitter=0.6)
    url = f"http://127.0.0.1:{server.port}/video"
    start("camera", "door", **variables("door", driver="url", url=url, stall_timeout="5"))
    ear.more(40)
    frames = ear.more(80)
    jittered = [two - one for one, two in itertools.pairwise(server.sent)]
    assert spread(steps(frames)) < spread(jittered) / 2


def spread(found: list[float]) -> float:
    """The median distance from the median: a machine that stands still for once does not count."""
    middle = statistics.median(found)
    return statistics.median(abs(one - middle) for one in found)


def test_the_bitrate_is_used_at_any_rate(start: Start, ear: Ear, serve: Serve) -> None:
    noise = ("-vf", "noise=alls=60:allf=t")
    server = serve([part(jpeg) for jpeg in jpegs(10, "640x360", 3, *noise)], 5, head=HEAD)
    url = f"http://127.0.0.1:{server.port}/video"
    start("camera", "door", **variables("door", driver="url", url=url, stall_timeout="5"))
    ear.more(15)
    frames = ear.more(50)
    bits = sum(len(frame.data) for frame in frames) * 8 / (len(frames) / 5)
    assert 900_000 < bits < 1_800_000


def test_pictures_of_another_size_get_a_session_of_their_own(
    start: Start, ear: Ear, serve: Serve
) -> None:
    both = [*jpegs(10), *jpegs(10, "640x360")]
    server = serve([part(jpeg) for jpeg in both], 10, head=HEAD)
    url = f"http://127.0.0.1:{server.port}/video"
    start("camera", "door", **variables("door", driver="url", url=url, stall_timeout="5"))
    ear.said(lambda s: s.width == 320, "the small pictures")
    ear.said(lambda s: s.width == 640, "the large pictures")
    assert ear.statuses[-1].restarts == 0
    assert server.connections == 1


@pytest.mark.parametrize("rate", [5, 15, 30])
@pytest.mark.parametrize("timing", [True, False])
def test_raw_h264_has_times_by_its_arrival(
    start: Start, ear: Ear, serve: Serve, rate: int, timing: bool
) -> None:
    units = pictures("320x240", rate)
    if not timing:
        units = without_vui(units)
    server = serve([byte_stream([unit]) for unit in units], rate)
    url = f"tcp://127.0.0.1:{server.port}"
    start("camera", "door", **variables("door", driver="url", url=url, stall_timeout="5"))
    ear.more(4 * rate)
    frames = ear.more(4 * rate)
    assert statistics.median(steps(frames)) == pytest.approx(1 / rate, rel=0.1)
    assert statistics.median(errors(frames, server.sent)) < 0.6 / rate
    # One picture more, since a bare stream shows the end of one only by the next.
    late = [frame.at - taken for frame, taken in zip(frames, captured(frames), strict=True)]
    assert statistics.median(late) < 1 / rate + 0.3
    status = ear.said(lambda s: s.state == "streaming", "pictures")
    assert (status.encoding, status.warning, status.restarts) == ("copy", None, 0)


@pytest.mark.parametrize("name", CLOCKS)
def test_a_wrong_clock_changes_nothing(start: Start, ear: Ear, tmp_path: Path, name: str) -> None:
    camera = ClockedCamera(tmp_path, CLOCKS[name])
    try:
        given = variables("door", driver="url", url=camera.url, stall_timeout="5")
        start("camera", "door", **given)
        ear.more(30)
        frames = ear.more(60)
        sent = list(camera.sent)
    finally:
        camera.close()
    status = ear.said(lambda s: s.state == "streaming", "pictures")
    assert (status.encoding, status.warning, status.restarts) == ("copy", None, 0)
    assert {(s.encoding, s.restarts) for s in ear.statuses if s.state == "streaming"} == {
        ("copy", 0)
    }
    assert len({frame.session for frame in frames}) == 1
    assert all(b.header.seq == a.header.seq + 1 for a, b in itertools.pairwise(frames))
    assert statistics.median(steps(frames)) == pytest.approx(0.1, rel=0.15)
    assert max(errors(frames, sent)) < 1
    assert statistics.median(errors(frames, sent)) < 0.06
    late = [frame.at - taken for frame, taken in zip(frames, captured(frames), strict=True)]
    assert statistics.median(late) < 0.3
    assert statistics.median(key_steps(frames)) == pytest.approx(1, rel=0.15)


@pytest.mark.parametrize("form", ["mp4", "mpegts", "h264"])
def test_a_recording_over_http_is_played_at_its_own_speed(
    start: Start, ear: Ear, serve: Serve, form: str
) -> None:
    x264 = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "10")
    film = clip(form, *x264, "-pix_fmt", "yuv420p", seconds=30)
    head = b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(film)
    server = serve([film, b""], 1000, head=head)
    url = f"http://127.0.0.1:{server.port}/film"
    start("camera", "film", **variables("film", driver="url", url=url))
    # What came before its kind was known went out as it came.
    ear.more(100)
    frames = ear.more(50)
    assert statistics.median(steps(frames)) == pytest.approx(0.1, rel=0.05)
    passed = frames[-1].at - frames[0].at
    assert passed > 0.8 * (frames[-1].header.tfdt - frames[0].header.tfdt) / 90_000


def test_a_live_source_that_was_held_up_stays_live(start: Start, ear: Ear, serve: Serve) -> None:
    """Twelve seconds come at once, as after a network that was gone: no recording begins so."""
    stream = clip(
        *("mpegts", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "10"),
        *("-pix_fmt", "yuv420p", "-muxdelay", "0"),
        seconds=30,
    )
    packets = [stream[place : place + 188] for place in range(0, len(stream), 188)]
    backlog = len(packets) * 12 // 30
    rate = len(packets) / 30
    server = serve([b"".join(packets[:backlog]), *packets[backlog:]], rate)
    url = f"tcp://127.0.0.1:{server.port}"
    start("camera", "door", **variables("door", driver="url", url=url, stall_timeout="5"))
    ear.more(140)
    frames = ear.more(30)
    late = [frame.at - taken for frame, taken in zip(frames, captured(frames), strict=True)]
    assert statistics.median(late) < 1
    assert statistics.median(steps(frames)) == pytest.approx(0.1, rel=0.15)


def test_damaged_pictures_are_left_out_and_nothing_is_encoded_again(
    start: Start, ear: Ear, serve: Serve
) -> None:
    units = [byte_stream([unit]) for unit in pictures("320x240", 10)]
    # A slice that ends inside its header, in the second group.
    units[15] = b"\0\0\0\1\x41"
    server = serve(units, 10)
    url = f"tcp://127.0.0.1:{server.port}"
    start("camera", "door", **variables("door", driver="url", url=url, stall_timeout="5"))
    ear.more(80)
    assert {s.encoding for s in ear.statuses if s.state == "streaming"} == {"copy"}
