"""The test camera from the drawn picture to the bus."""

import itertools
import json
from pathlib import Path

from camera.picture import crc8
from camera_ear import Ear, decode, variables
from conftest import Start, wait_until
from media.clock import to_wall
from media.h264 import Sps, split_length_prefixed

SMALL = {"driver": "test", "width": "320", "height": "240"}


def test_headers_and_fragments_are_those_of_the_contract(start: Start, ear: Ear) -> None:
    start("camera", "csi", **variables("csi", **SMALL, fps="20"))
    frames = ear.more(45)
    init, properties, _ = ear.inits["video"][0]
    assert (init.width, init.height, init.codecs) == (320, 240, properties["codecs"])
    assert (properties["width"], properties["height"]) == ("320", "240")
    assert init.codecs.startswith("avc1.42C0")
    assert Sps.parse(init.sps).max_num_reorder_frames == 0
    assert {frame.session for frame in frames} == {properties["session"]}
    assert [frame.header.seq for frame in frames] == list(range(1, 46))
    assert frames[0].header.key
    assert {frame.header.duration for frame in frames} == {4500}
    for frame in frames:
        kinds = {nal[0] & 31 for nal in split_length_prefixed(frame.data)}
        assert kinds == ({5} if frame.header.key else {1})


def test_key_frames_come_by_time(start: Start, ear: Ear) -> None:
    start("camera", "csi", **variables("csi", **SMALL, fps="25", key_interval="0.4"))
    frames = [frame.header for frame in ear.more(60)]
    keys = [header.tfdt for header in frames if header.key]
    assert len(keys) >= 5
    assert all(other - one + 1800 >= 36_000 for one, other in itertools.pairwise(keys))
    # A busy machine leaves frames out, also those that were to be keys: then the next one is.
    for header in frames:
        last = max(key for key in keys if key <= header.tfdt)
        assert header.tfdt - last + 1800 <= 45_000
    ear.said(lambda status: status.key_interval == 0.4, "the interval is measured")


def test_each_picture_is_published_before_the_next_is_drawn(start: Start, ear: Ear) -> None:
    start("camera", "csi", **variables("csi", **SMALL, fps="2"))

    def prompt() -> bool:
        pairs = itertools.pairwise(list(ear.video))
        return any(to_wall(frame.at) < after.header.capture for frame, after in pairs)

    wait_until(prompt, "a picture comes before the next is drawn")


def test_the_machine_readable_clock_is_the_capture_time(start: Start, ear: Ear) -> None:
    start("camera", "csi", **variables("csi", driver="test", fps="10"))
    frames = ear.more(20)
    first = next(n for n, frame in enumerate(frames) if frame.header.key)
    wanted = frames[first : first + 8]
    header = ear.inits["video"][0][2]
    fragments = b"".join(frame.payload for frame in wanted)
    pictures = decode(header, fragments, 800, 600, len(wanted))
    assert len(pictures) == len(wanted)
    for picture, frame in zip(pictures, wanted, strict=True):
        shown = read_clock(picture[8 * 800 : 9 * 800])
        behind = (frame.header.capture * 1000 - shown + 0.5) % (1 << 32) - 0.5
        # A double holds the time to a quarter of a microsecond.
        assert -0.001 < behind < 1.001


def read_clock(row: bytes) -> int:
    bits = 0
    for cell in range(40):
        bits = bits << 1 | (row[(2 * cell + 1) * len(row) // 80] > 128)
    assert crc8((bits >> 8).to_bytes(4, "big")) == bits & 0xFF
    return bits >> 8


def test_status_tells_what_is_measured(start: Start, ear: Ear) -> None:
    start("camera", "csi", **variables("csi", **SMALL, fps="20", bitrate_kbps="500"))
    status = ear.said(lambda s: abs((s.fps or 0) - 20) < 0.5 and s.key_interval, "the true rate")
    assert (status.state, status.driver, status.simulated) == ("streaming", "test", True)
    assert (status.encoding, status.clock, status.demand) == ("software", "sensor", "always")
    assert (status.width, status.height, status.audio_codec) == (320, 240, None)
    assert status.error is None
    assert status.bitrate_kbps is not None
    assert 50 < status.bitrate_kbps < 800


def test_it_beeps_with_the_second(start: Start, ear: Ear) -> None:
    start("camera", "csi", **variables("csi", **SMALL, fps="20", audio="test"))
    packets = ear.more(120, "audio")
    init, properties, _ = ear.inits["audio"][0]
    assert (init.codecs, init.channels, properties["codecs"]) == ("opus", 1, "opus")
    assert [p.header.seq for p in packets] == list(range(1, 121))
    assert {p.header.tfdt for p in packets} == {
        packets[0].header.tfdt + 960 * number for number in range(120)
    }
    # Coded silence is a few bytes; the first packet with sound is the one around a whole second.
    pairs = itertools.pairwise(packets)
    onsets = [p.header.capture for quiet, p in pairs if len(quiet.data) < 10 < len(p.data)]
    assert len(onsets) >= 2
    assert all(-0.023 < onset - round(onset) < 0.001 for onset in onsets)
    ear.said(lambda status: status.audio_codec == "opus", "sound in the status")


def test_pictures_and_sound_are_on_one_timeline(start: Start, ear: Ear) -> None:
    start("camera", "csi", **variables("csi", **SMALL, fps="20", audio="test"))
    ear.more(40, "audio")
    frame, packet = ear.more(20)[-1], ear.sound[-1]
    for fragment, scale in ((frame, 90_000), (packet, 48_000)):
        age = fragment.at - fragment.header.tfdt / scale
        assert 0 < age < 0.5
        assert abs(to_wall(fragment.header.tfdt / scale) - fragment.header.capture) < 0.01


def test_metadata_is_written_like_a_cameras(start: Start, ear: Ear, tmp_path: Path) -> None:
    service = start("camera", "csi", **variables("csi", **SMALL, fps="20"))
    ear.more(10)
    path = tmp_path / "run" / "csi.metadata.json"
    wait_until(lambda: path.read_text().count("Simulated") > 5, "records")
    service.terminate()
    records = json.loads(path.read_text())
    assert all(record["Simulated"] == 1 for record in records)
    stamps = [record["SensorTimestamp"] for record in records]
    assert stamps == sorted(set(stamps))
    assert records[0]["FrameDuration"] == 50_000
