import itertools
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from bus.topics import CAMERA_LEASE
from bus_camera import GROUP, Camera
from conftest import DEADLINE, Broker, Start, wait_until
from hls_playlist import Playlist, attributes
from media.clock import boottime
from media.cmaf import FragmentHeader, Init
from media.h264 import AnnexBSplitter, split_length_prefixed
from web.rendition import Rendition
from web.segment import Part, Segment
from web_station import Web

FAST = {"hls_segment": "1", "hls_window": "4", "hls_part": "0.2", "hls_wait": "5"}
INDEX = "/csi_camera/index.m3u8"
WRONG = [
    ("/other_camera/index.m3u8", 404),
    ("/other_camera/video.m3u8", 404),
    ("/csi_camera/subtitles.m3u8", 404),
    ("/csi_camera/video/nothing.m4s", 404),
    ("/csi_camera/video/first.12.99999999999.m4s", 404),
    ("/csi_camera/video.m3u8?_HLS_msn=99999999999", 400),
    ("/csi_camera/video.m3u8?_HLS_msn=-1", 400),
    ("/csi_camera/video.m3u8?_HLS_msn=one", 400),
    ("/csi_camera/video.m3u8?_HLS_msn=9999999999999999999999", 400),
    ("/csi_camera/video.m3u8?_HLS_part=1", 400),
    ("/csi_camera/video.m3u8?_HLS_msn=0", 200),
    ("/csi_camera/aac.m3u8", 503),
]


def playlist(web: Web, name: str = "video", **query: int) -> Playlist:
    question = "&".join(f"_HLS_{key}={value}" for key, value in query.items())
    answer = web.get(f"/csi_camera/{name}.m3u8?{question}")
    assert answer.status == 200, answer.body
    return Playlist(answer.body.decode())


def fragments(data: bytes) -> Iterator[tuple[FragmentHeader, bytes]]:
    """What a segment or a part is made of."""
    position = 0
    while position < len(data):
        end = position
        for _ in ("prft", "moof", "mdat"):
            end += int.from_bytes(data[end : end + 4], "big")
        one = data[position:end]
        header = FragmentHeader.parse(one)
        yield header, one[header.offset :]
        position = end


@pytest.fixture
def web(camera: Camera, start: Start) -> Web:
    camera.film()
    camera.say()
    web = Web(start, **FAST)
    web.knows("csi")
    return web


def test_the_index_offers_the_picture_with_its_sound(web: Web) -> None:
    answer = web.get(INDEX)
    assert answer.headers["Content-Type"] == "application/vnd.apple.mpegurl"
    assert answer.headers["Cache-Control"] == "no-store"
    lines = answer.body.decode().splitlines()
    [variant] = [attributes(line) for line in lines if line.startswith("#EXT-X-STREAM-INF")]
    assert variant["CODECS"] == "avc1.42C01E,opus" or variant["CODECS"].startswith("avc1.42")
    assert variant["RESOLUTION"] == "320x240" and int(variant["BANDWIDTH"]) > 100_000
    [sound] = [attributes(line) for line in lines if line.startswith("#EXT-X-MEDIA")]
    assert (sound["TYPE"], sound["GROUP-ID"]) == ("AUDIO", variant["AUDIO"])
    assert lines[-1] == "video.m3u8" and sound["URI"] == "audio.m3u8"
    [offer] = web.get("/api/cameras").json()["cameras"]
    assert offer["hls"] == INDEX[1:] and "hls" in offer["protocols"]
    assert offer["tracks"] == ["video", "audio"]


def test_a_playlist_is_what_the_rfc_demands_while_it_grows(web: Web) -> None:
    for name in ("video", "audio"):
        seen = [playlist(web, name)]
        while len(seen) < 35:
            segment, part = seen[-1].last
            seen.append(playlist(web, name, msn=segment, part=part + 1))
        for before, after in itertools.pairwise(seen):
            assert after.last > before.last
            after.check_parts()
            assert (after.target, after.part_target) == (before.target, before.part_target)
            known = {one.number: one for one in after.segments}
            for one in before.whole:
                assert one.number not in known or known[one.number][:7] == one[:7]
            added = [part for part in after.parts if part not in before.parts]
            assert added[0].uri == before.hint, "the next part is the one that was hinted at"
        assert seen[-1].independent
        assert all(one.parts[0].independent for one in seen[-1].segments)


def test_a_reload_waits_until_the_part_is_there(web: Web) -> None:
    now = playlist(web)
    segment, part = now.last
    found = playlist(web, msn=segment, part=part + 2)
    assert found.last >= (segment, part + 2) or found.last[0] > segment
    later = playlist(web, msn=segment)
    assert any(one.number == segment for one in later.whole), "without a part: the whole segment"
    with ThreadPoolExecutor() as pool:
        hint = pool.submit(web.get, f"/csi_camera/{later.hint}").result()
    assert hint.status == 200 and list(fragments(hint.body))


def test_a_reload_that_waits_ends_with_the_reason_when_nothing_comes(
    web: Web, camera: Camera
) -> None:
    segment, _ = playlist(web).last
    camera.stop()
    answer = web.get(f"/csi_camera/video.m3u8?_HLS_msn={segment + 2}")
    assert answer.status == 503 and "csi" in answer.json()["detail"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_what_cannot_be_is_said_to_be_so(camera: Camera, start: Start) -> None:
    camera.film()
    camera.say()
    web = Web(start, **FAST | {"hls_wait": "3"})
    web.knows("csi")
    playlist(web)
    for path, status in WRONG:
        answer = web.get(path)
        said = (answer.status, answer.headers["Cache-Control"])
        assert said == (status, "no-store"), (path, answer.body)


def test_two_replicas_number_and_name_alike(web: Web, start: Start) -> None:
    other = Web(start, "2", **FAST)
    other.knows("csi")
    playlist(web)
    segment, _ = playlist(other).last
    for one in (web, other):
        playlist(one, msn=segment + 2)
    found = [{s.number: s for s in playlist(one, msn=segment + 2).whole} for one in (web, other)]
    common = [number for number in found[0].keys() & found[1].keys() if number > segment]
    assert len(common) >= 2
    for number in common:
        mine, theirs = found[0][number], found[1][number]
        assert mine[:7] == theirs[:7]
        assert (
            web.get(f"/csi_camera/{mine.uri}").body == other.get(f"/csi_camera/{theirs.uri}").body
        )


def test_parts_make_up_their_segment_and_hold_what_the_camera_sent(
    web: Web, camera: Camera
) -> None:
    segment, _ = playlist(web).last
    found = next(s for s in playlist(web, msn=segment + 1).whole if s.number == segment + 1)
    whole = web.get(f"/csi_camera/{found.uri}")
    assert "immutable" in whole.headers["Cache-Control"]
    assert whole.headers["Content-Type"] == "video/mp4"
    parts = [web.get(f"/csi_camera/{part.uri}").body for part in found.parts]
    assert b"".join(parts) == whole.body
    frames = list(fragments(whole.body))
    assert len(frames) >= GROUP and frames[0][0].key
    assert abs(frames[0][0].capture - found.began) < 0.001
    for (before, _), (after, _) in itertools.pairwise(frames):
        assert after.tfdt == before.tfdt + before.duration, "no hole and no overlap"
        assert after.seq == before.seq + 1
    sent = {picture.data for picture in camera.recording.pictures}
    assert all(data in sent for _, data in frames)
    header = web.get(f"/csi_camera/{found.map}")
    assert Init.parse(header.body).sps == camera.recording.sps
    assert "immutable" in header.headers["Cache-Control"]


def test_ffmpeg_plays_it_and_gets_the_slices_of_the_camera(web: Web, camera: Camera) -> None:
    playlist(web, msn=playlist(web).last[0] + 1)
    # From the multivariant playlist FFmpeg 5.1 crashes at its end, when sound is not mapped.
    source = f"http://{web.host}/csi_camera/video.m3u8"
    command = ["ffmpeg", "-v", "error", "-nostdin", "-i", source]
    command += ["-map", "0:v:0", "-c", "copy", "-frames:v", "40", "-f", "h264", "-"]
    got = subprocess.run(command, check=True, timeout=DEADLINE, stdout=subprocess.PIPE).stdout
    splitter = AnnexBSplitter()
    splitter.feed(got)
    nals = [nal for unit in splitter.take(40) for nal in unit if nal[0] & 31 in (1, 5)]
    sent = {bytes(n) for p in camera.recording.pictures for n in split_length_prefixed(p.data)}
    assert len(nals) >= 39 and all(bytes(nal) in sent for nal in nals)


def test_a_restart_of_the_encoder_is_a_discontinuity(web: Web, camera: Camera) -> None:
    before = playlist(web, msn=playlist(web).last[0] + 1)
    sound = playlist(web, "audio")
    camera.film("second")
    wait_until(lambda: playlist(web).segments[-1].turn > before.turn, "the new session is listed")
    after = playlist(web, msn=playlist(web).last[0])
    old = [one for one in after.segments if one.turn == before.turn]
    new = [one for one in after.segments if one.turn == before.turn + 1]
    assert old and new and "second" in new[0].map and "first" in old[-1].map
    assert new[0].number == old[-1].number + 1
    assert web.get(f"/csi_camera/{new[0].map}").status == 200
    segment, part = playlist(web, "audio").last
    other = playlist(web, "audio", msn=segment, part=part + 1)
    assert other.segments[-1].turn == sound.turn + 1, "so it is in the sound, on the same timeline"


def test_a_pause_becomes_a_gap_and_the_numbers_go_on(web: Web, camera: Camera) -> None:
    before = playlist(web, msn=playlist(web).last[0] + 1)
    camera.stop()
    missed = before.last[0] + 2
    wait_until(lambda: boottime() > missed + 2, "some seconds pass")
    camera.filming = True
    wait_until(lambda: playlist(web).last[0] > missed, "it goes on")
    after = playlist(web)
    assert [one.number for one in after.segments if one.gap]
    numbers = [one.number for one in after.segments]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    began = after.segments[-1].began
    assert abs(began - time.time()) < 3


def test_silence_stands_for_lost_sound_and_lost_pictures_last_longer(
    web: Web, camera: Camera
) -> None:
    playlist(web)
    segment, _ = playlist(web, "audio").last
    camera.seq += 1
    found = {}
    for name in ("video", "audio"):
        whole = playlist(web, name, msn=segment + 2).whole
        data = b"".join(web.get(f"/csi_camera/{one.uri}").body for one in whole if one.uri)
        found[name] = list(fragments(data))
    for frames in found.values():
        for (before, _), (after, _) in itertools.pairwise(frames):
            assert after.tfdt == before.tfdt + before.duration
    holes = [
        1 for (a, _), (b, _) in itertools.pairwise(found["video"]) if b.seq != a.seq + 1 and b.key
    ]
    assert len(holes) == 1


def test_the_camera_is_heard_only_while_somebody_watches(
    camera: Camera, start: Start, broker: Broker
) -> None:
    camera.film()
    camera.say(demand="on_demand")
    leases: list[float] = []
    camera.subscribe(CAMERA_LEASE, lambda lease, _: leases.append(lease.seconds))
    web = Web(start, **FAST | {"hls_wait": "2", "linger": "0.2"})
    web.knows("csi")
    wait_until(lambda: web.get("/api/cameras").json()["cameras"][0]["status"], "the status")
    counts = 'beeper_fragments_total{camera="csi",kind="audio"}'
    assert not leases and web.count(counts) == 0
    assert web.get(INDEX).status == 200
    wait_until(lambda: leases, "a lease on the camera")
    assert web.count(counts) == 0, "nobody listens"
    playlist(web, "audio")
    assert web.count(counts) > 0

    def at_rest() -> bool:
        before = web.count(counts)
        threading.Event().wait(0.3)
        return web.count(counts) == before

    wait_until(at_rest, "it is not heard any more")


def test_memory_is_bounded(camera: Camera, start: Start) -> None:
    camera.film()
    web = Web(start, **FAST | {"hls_window": "2"})
    web.knows("csi")
    first = playlist(web).whole or playlist(web, msn=playlist(web).last[0]).whole
    segment = first[-1]
    for later in (2, 4, 6):
        playlist(web, msn=segment.number + later)
    now = playlist(web)
    assert 2 <= len(now.segments) <= 5
    assert web.get(f"/csi_camera/{segment.uri}").status == 404
    memory = psutil.Process(web.service.process.pid).memory_info().rss
    for _ in range(300):
        web.get(f"/csi_camera/{playlist(web).parts[-1].uri}")
    assert psutil.Process(web.service.process.pid).memory_info().rss - memory < 8 << 20


def test_other_origins_players_may_watch_as_far_as_the_settings_allow(
    camera: Camera, start: Start
) -> None:
    camera.film()
    friend = "https://friend.example"
    web = Web(start, **FAST, origins=json.dumps([friend]))
    web.knows("csi")
    for path in (INDEX, "/csi_camera/video.m3u8", f"/csi_camera/{playlist(web).parts[-1].uri}"):
        assert web.get(path, Origin=friend).headers["Access-Control-Allow-Origin"] == friend
        foreign = web.get(path, Origin="https://other.example")
        assert "Access-Control-Allow-Origin" not in foreign.headers


def test_it_ends_at_once_while_players_wait(web: Web) -> None:
    segment, _ = playlist(web).last
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(web.get, f"/csi_camera/video.m3u8?_HLS_msn={segment + 2}")
        wait_until(lambda: web.count("beeper_hls_waiting") == 1, "it waits")
        assert web.service.terminate() == 0
        assert waiting.result().status == 503
    assert "Traceback" not in web.service.log()


async def test_nothing_is_shown_of_a_playlist_that_a_long_silence_has_emptied() -> None:
    rendition = Rendition(length=1, window=4)
    rendition.begin(b"header", "first", 90_000)
    rendition.open(Segment(1, "first", 0, 0, 0))
    rendition.add(Part(b"frames", 90_000, True))
    assert rendition.has(1, 0) and rendition.listed
    rendition.open(Segment(100, "first", 99 * 90_000, 99, 0))
    assert not rendition.has(1, 0) and not rendition.listed
    rendition.add(Part(b"frames", 90_000, True))
    assert rendition.has(1, 0) and rendition.listed
