"""What a viewer receives over WebRTC is what the camera sent."""

import itertools
import re
import time

from aiortc.rtp import (
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPsfbPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSrPacket,
)
from bus.messages import CameraLease, WebrtcLease
from bus.topics import CAMERA_LEASE, WEBRTC_LEASE
from bus_camera import GROUP, Camera
from conftest import Start, wait_until
from web_station import Web
from webrtc_viewer import Picture, Viewer, ask, with_webrtc

NTP_UNIX = 2_208_988_800
WRAP = 1 << 32


def direct(answer: str, kind: str = "video") -> int:
    """`mediaclk:direct` of a section."""
    found = re.search(r"a=mediaclk:direct=(\d+)", answer.split(f"m={kind}")[1])
    assert found
    return int(found[1])


def captured(timestamp: int, epoch: int, rate: int = 90_000) -> float:
    """The Unix time of an RTP timestamp that is not long ago (RFC 7273 §5.2)."""
    now = time.time()
    ticks = round((now + NTP_UNIX) * rate) + epoch
    return now - ((ticks - timestamp + WRAP // 2) % WRAP - WRAP // 2) / rate


def live(pictures: list[Picture]) -> list[Picture]:
    """Without the group that is hurried through at the beginning."""
    steps = [b.timestamp - a.timestamp for a, b in itertools.pairwise(pictures)]
    first = next(i for i, step in enumerate(steps) if step > 1000)
    return pictures[first + 1 :]


async def test_slices_are_what_the_encoder_made(web: Web, camera: Camera) -> None:
    async with Viewer(web) as viewer:
        pictures = await viewer.see(70)
    samples = [picture.data for picture in camera.recording.pictures]
    first = samples.index(pictures[0].sample)
    expected = itertools.islice(itertools.cycle(samples), first, None)
    assert [p.sample for p in pictures] == [s for _, s in zip(pictures, expected, strict=False)]
    keys = [picture for picture in pictures if picture.key]
    assert len(keys) > 1
    assert all(k.nals[:2] == [camera.recording.sps, camera.recording.pps] for k in keys)
    assert not any(nal[0] & 31 == 7 for p in pictures if not p.key for nal in p.nals)


async def test_a_late_joiner_begins_with_the_key_frame_that_has_passed(
    web: Web, camera: Camera
) -> None:
    async with Viewer(web) as first:
        await first.see(35)
        await first.until(lambda: not any(p.key for p in first.pictures[-9:]), "mid of a group")
        async with Viewer(web) as late:
            pictures = await late.see(40)
    replayed = pictures[: -len(live(pictures))]
    assert replayed[0].key and len(replayed) > 5
    steps = [b.timestamp - a.timestamp for a, b in itertools.pairwise(replayed)]
    assert set(steps) == {90}


async def test_the_very_first_viewer_begins_with_a_key_frame_that_has_passed(
    start: Start, camera: Camera
) -> None:
    leases: list[WebrtcLease] = []
    camera.subscribe(WEBRTC_LEASE, lambda lease, _: leases.append(lease))
    web = with_webrtc(start, camera)
    assert not leases
    web.get("/")
    wait_until(lambda: leases, "webrtc is told that a page was opened")
    begun = camera.seq
    wait_until(lambda: camera.seq > begun + 4 * GROUP, "groups have come")
    camera.stop()
    async with Viewer(web) as viewer:
        (first, *_) = await viewer.see(1)
    assert first.key


async def test_the_answer_says_when_a_picture_was_captured(web: Web, camera: Camera) -> None:
    async with Viewer(web) as viewer:
        await viewer.see(40)
        epoch = direct(viewer.answer)
        ages = [p.at - captured(p.timestamp, epoch) for p in live(viewer.pictures)]
        assert -0.01 < min(ages) < 0.5


async def test_sender_reports_say_the_same_and_name_one_source(web: Web, camera: Camera) -> None:
    async with Viewer(web, audio=True) as viewer:

        def reports() -> list[RtcpSrPacket]:
            return [r for r in viewer.reports if isinstance(r, RtcpSrPacket)]

        await viewer.until(lambda: len(reports()) >= 4, "two reports of each track")
        for kind, rate in (("video", 90_000), ("audio", 48_000)):
            found = re.search(r"a=ssrc:(\d+) cname:(\w+)", viewer.answer.split(f"m={kind}")[1])
            assert found
            report = [r for r in reports() if r.ssrc == int(found[1])][-1].sender_info
            sent = report.ntp_timestamp / WRAP - NTP_UNIX
            by_answer = captured(report.rtp_timestamp, direct(viewer.answer, kind), rate)
            assert abs(sent - by_answer) < 0.01
        chunks = [c for r in viewer.reports if isinstance(r, RtcpSdesPacket) for c in r.chunks]
        assert len({dict(chunk.items)[1] for chunk in chunks}) == 1


async def test_sound_is_what_the_encoder_made(web: Web, camera: Camera) -> None:
    async with Viewer(web, audio=True) as viewer:
        kind = int(viewer.answer.split("opus/48000/2")[0].rpartition("a=rtpmap:")[2])

        def sound() -> list[bytes]:
            return [p.payload for p, _ in viewer.packets if p.payload_type == kind]

        await viewer.until(lambda: len(sound()) > 20, "sound")
        assert set(sound()) == {bytes(60)}
        await viewer.see(10)


async def test_a_camera_without_sound_answers_it_inactive(start: Start, camera: Camera) -> None:
    camera.silence()
    web = with_webrtc(start, camera)
    async with Viewer(web, audio=True) as viewer:
        audio = viewer.answer.split("m=audio ")[1].split("m=")[0]
        assert audio.startswith("9 ") and "a=inactive" in audio
        await viewer.see(10)


async def test_timestamps_go_on_when_the_encoder_restarts(web: Web, camera: Camera) -> None:
    async with Viewer(web) as viewer:
        before = await viewer.see(40)
        camera.stop()
        camera.film("second")
        pictures = await viewer.see(len(before) + 40)
    times = [picture.timestamp for picture in live(pictures)]
    assert all(0 < (b - a) % WRAP < 10 * 90_000 for a, b in itertools.pairwise(times))
    samples = [picture.data for picture in camera.recording.pictures]
    seam = next(
        i
        for i, (a, b) in enumerate(itertools.pairwise(pictures))
        if (samples.index(a.sample) + 1) % len(samples) != samples.index(b.sample)
    )
    assert pictures[seam + 1].key


async def test_what_is_lost_is_sent_again(web: Web, camera: Camera) -> None:
    async with Viewer(web) as viewer:
        await viewer.see(20)
        packet, _ = viewer.packets[-1]
        lost = RtcpRtpfbPacket(RTCP_RTPFB_NACK, 1, packet.ssrc, [packet.sequence_number])
        await viewer.send(lost)
        number = packet.sequence_number.to_bytes(2, "big")

        def again() -> list[bytes]:
            return [p.payload for p, _ in viewer.packets if p.payload_type != viewer.kind]

        await viewer.until(again, "the packet again")
        assert again() == [number + packet.payload]


async def test_who_has_lost_a_picture_gets_nothing_until_the_next_key(
    web: Web, camera: Camera
) -> None:
    async with Viewer(web) as viewer:
        await viewer.see(35)
        await viewer.until(lambda: not any(p.key for p in viewer.pictures[-11:]), "mid of a group")
        await viewer.send(RtcpPsfbPacket(RTCP_PSFB_PLI, 1, viewer.packets[-1][0].ssrc))
        count = len(viewer.pictures)
        pictures = await viewer.see(count + 40)
    times = [picture.timestamp for picture in pictures]
    after = [
        p for p, before in zip(pictures[1:], times, strict=False) if p.timestamp - before > 6000
    ]
    assert after and all(picture.key for picture in after)


async def test_a_viewer_leaves_by_delete(web: Web, camera: Camera) -> None:
    async with Viewer(web) as viewer:
        await viewer.see(5)
        assert ask(web, "DELETE", viewer.session).status == 200
        await viewer.until(lambda: viewer.transport.state == "closed", "the transport is closed")
        assert ask(web, "DELETE", viewer.session).status == 404


async def test_an_on_demand_camera_is_leased_while_watched(start: Start, camera: Camera) -> None:
    leases: list[CameraLease] = []
    camera.subscribe(CAMERA_LEASE, lambda lease, _: leases.append(lease))
    camera.say(demand="on_demand")
    web = with_webrtc(start, camera, lease="2")
    assert not [lease for lease in leases if lease.holder == "webrtc"]
    async with Viewer(web):
        wait_until(
            lambda: sum(lease.holder == "webrtc" for lease in leases) > 2, "the lease is renewed"
        )
