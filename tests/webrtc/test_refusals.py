"""WHEP's codes for what is wrong, and that nothing of it leaves anything behind."""

import asyncio
import random
import socket
from pathlib import Path
from typing import Any

import psutil
import pytest
from bus_camera import Camera
from conftest import Start, wait_until
from pydantic import ValidationError
from web_station import Web
from webrtc.answer import Local, Sending, write_answer
from webrtc.offer import Unacceptable, choose_h264, read_offer
from webrtc.settings import Webrtc
from webrtc_viewer import FRAGMENT, SDP, Sessions, Viewer, ask, with_webrtc

WHEP = "/csi_camera/whep"
HALF_OPEN = 200
LOCAL = Local("0" * 32, "user", "password", [], "active", [])


@pytest.fixture
async def offer(web: Web) -> str:
    """A good one."""
    viewer = Viewer(web)
    made = await viewer.offer()
    await viewer.peer.close()
    return made


def reason(answer: Any) -> str:
    return str(answer.json()["detail"])


async def test_offers_that_are_none(web: Web, offer: str) -> None:
    for bad in ("", "hello", "v=0\r\n", offer[:200], offer.replace("m=video", "m=vide")):
        answer = ask(web, "POST", WHEP, bad)
        assert answer.status == 400, bad
        assert reason(answer)
    assert ask(web, "POST", WHEP, b"\xff\xfe").status == 400
    no_video = ask(web, "POST", WHEP, offer.replace("m=video", "m=audio"))
    assert no_video.status == 400 and "no video" in reason(no_video)
    assert ask(web, "POST", WHEP, offer.replace("a=rtcp-mux\r\n", "")).status == 400
    assert ask(web, "POST", WHEP, offer.replace("H264", "H265")).status == 422
    assert ask(web, "POST", WHEP, "v=0\r\n" + "a=x\r\n" * 20_000).status == 413


def too_much(offer: str) -> dict[str, str]:
    """Offers that no viewer makes, each as long as an offer may be."""
    head, _, video = offer.partition("m=video ")
    section = f"m=video {video}"
    media = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"

    def with_lines(line: str, count: int) -> str:
        return offer + "".join(f"{line.format(n)}\r\n" for n in range(count))

    return {
        "1,900 m-lines": head + media * 1900,
        "m-lines of data": offer + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" * 1000,
        "nine sections": head + section + "m=audio 9 X 0\r\n" * 8,
        "candidates": with_lines("a=candidate:{} 1 udp 5 192.0.2.9 5000 typ host", 1000),
        "codecs": with_lines("a=rtpmap:96 H264/{}", 1500),
        "parameters": with_lines("a=fmtp:96 x={}", 1500),
        "feedback": with_lines("a=rtcp-fb:96 x{}", 1500),
        "extensions": with_lines("a=extmap:{} urn:x", 1500),
        "fingerprints": with_lines("a=fingerprint:sha-256 {}", 1500),
        "sources": with_lines("a=ssrc:{} cname:x", 1500),
        "groups": with_lines("a=group:BUNDLE {}", 1500),
        "payload types": offer + "m=audio 9 RTP/AVP" + " 0" * 20_000 + "\r\n",
        "empty lines": offer + "\r\n" * 20_000,
    }


async def test_an_offer_of_too_much_is_refused_and_takes_no_place(
    web: Web, camera: Camera, offer: str
) -> None:
    sessions = Sessions(camera)
    for what, sdp in too_much(offer).items():
        answer = ask(web, "POST", WHEP, sdp)
        assert answer.status == 400, f"{what}: {answer.status} {reason(answer)}"
    async with Viewer(web) as viewer:
        await viewer.see(3)
        assert sessions.now == 1
        many = "a=candidate:1 1 udp 5 192.0.2.9 5000 typ host\r\n" * 200
        patched = ask(web, "PATCH", viewer.session, many, FRAGMENT, If_Match=viewer.etag)
        assert patched.status == 400 and "candidates" in reason(patched)


async def test_a_large_offer_of_a_browser_is_taken(offer: str) -> None:
    extras = [f"a=rtpmap:{n} x/90000\r\na=fmtp:{n} a=b\r\na=rtcp-fb:{n} nack" for n in range(64)]
    extras += [f"a=extmap:{n} urn:x:{n}" for n in range(1, 15)]
    extras += [f"a=candidate:{n} 1 udp 5 192.0.2.9 {n} typ host" for n in range(1, 60)]
    audio = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:a\r\na=rtpmap:111 opus/48000/2\r\n"
    assert read_offer(offer + "\r\n".join(extras) + "\r\n" + audio).video


def test_kinds_paths_and_methods(web: Web) -> None:
    for kind in ("", "text/plain", "application/json"):
        answer = ask(web, "POST", WHEP, "v=0", kind=kind)
        assert answer.status == 415 and SDP in reason(answer)
    assert ask(web, "POST", "/nothing_camera/whep", "v=0").status == 404
    for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH"):
        answer = ask(web, method, WHEP)
        assert answer.status == 405 and answer.headers["Allow"]
    allowed = ask(web, "OPTIONS", WHEP, kind="")
    assert allowed.status == 204 and allowed.headers["Accept-Post"] == SDP


def test_a_viewer_that_leaves_in_the_middle_of_its_offer_is_no_error(web: Web) -> None:
    head = f"POST /csi_camera/whep HTTP/1.1\r\nHost: {web.host}\r\nContent-Type: {SDP}\r\n"
    with socket.create_connection(("127.0.0.1", web.port)) as viewer:
        viewer.sendall(f"{head}Content-Length: 100\r\n\r\nv=0".encode())
    for _ in range(20):
        assert web.get("/healthz").status == 200
    assert "Traceback" not in web.service.log()


async def test_sessions_are_addressed_and_trickled(web: Web) -> None:
    async with Viewer(web) as viewer:
        ufrag = str(viewer.peer.localDescription.sdp).split("a=ice-ufrag:")[1].split()[0]
        good = f"a=ice-ufrag:{ufrag}\r\na=candidate:1 1 udp 5 192.0.2.9 5000 typ host\r\n"
        tag = viewer.etag

        def patch(body: str, kind: str = FRAGMENT, **headers: str) -> int:
            return ask(web, "PATCH", viewer.session, body, kind, **headers).status

        assert patch(good, If_Match=tag) == 204
        assert patch(good) == 428
        assert patch(good, If_Match='"other"') == 412
        assert patch(good, SDP, If_Match=tag) == 415
        assert patch(good.replace(ufrag, "restart"), If_Match=tag) == 422
        assert patch("a=candidate:1 1 udp\r\n", If_Match=tag) == 400
        assert ask(web, "PATCH", f"{WHEP}/none", good, FRAGMENT, If_Match=tag).status == 404
        assert ask(web, "DELETE", f"{WHEP}/none").status == 404
        assert ask(web, "GET", viewer.session).status == 405
        await viewer.see(3)


async def test_ice_servers_are_told(start: Start, camera: Camera) -> None:
    servers = '["stun:192.0.2.1:3478", "turn:192.0.2.1"]'
    web = with_webrtc(
        start, camera, ice_servers=servers, ice_username="u", ice_credential="s", gather="0.1"
    )
    link = ask(web, "OPTIONS", WHEP, kind="").headers["Link"]
    assert '<stun:192.0.2.1:3478>; rel="ice-server"' in link
    assert '<turn:192.0.2.1>; rel="ice-server"; username="u"; credential="s"' in link
    assert len(web.get("/api/cameras").json()["cameras"][0]["ice_servers"]) == 2
    async with Viewer(web) as viewer:
        await viewer.see(3)


def test_without_the_service_web_says_so(start: Start, camera: Camera) -> None:
    web = Web(start)
    web.knows("csi")
    answer = ask(web, "POST", WHEP, "v=0")
    assert answer.status == 503 and reason(answer) == "service webrtc is not there"
    about = web.get("/api/cameras").json()["cameras"][0]
    assert "webrtc" not in about["protocols"] and about["whep"] is None
    service = start("webrtc")
    wait_until(lambda: ask(web, "POST", WHEP, "v=0").status == 400, "webrtc works")
    service.kill()
    wait_until(lambda: ask(web, "POST", WHEP, "v=0").status == 503, "webrtc is missed")
    assert "lost" in reason(ask(web, "POST", WHEP, "v=0"))


async def test_half_open_sessions_leave_nothing(start: Start, camera: Camera) -> None:
    web = with_webrtc(start, camera, max_sessions=str(HALF_OPEN), connect="3")
    pid = next(
        child.pid
        for child in psutil.Process().children(recursive=True)
        if child.cmdline()[-2:] == ["-m", "webrtc"]
    )
    sessions = Sessions(camera)
    viewer = Viewer(web)
    offer = await viewer.offer()
    await viewer.peer.close()

    async def flood() -> None:
        codes = [(await viewer.post(offer)).status for _ in range(HALF_OPEN)]
        assert set(codes) <= {201, 503} and codes.count(201) > HALF_OPEN // 2
        await asyncio.to_thread(wait_until, lambda: sessions.now == 0, "all are let go", 30)

    await flood()
    sockets, memory = len(descriptors(pid)), psutil.Process(pid).memory_info().rss
    await flood()
    assert len(descriptors(pid)) == sockets < 30
    assert psutil.Process(pid).memory_info().rss - memory < 8 << 20
    async with Viewer(web) as last:
        await last.see(3)


def descriptors(pid: int) -> list[Path]:
    """What a process has open."""
    return list(Path(f"/proc/{pid}/fd").iterdir())


async def test_no_offer_breaks_the_reader(offer: str) -> None:
    chosen = random.Random(1)
    lines = offer.splitlines(keepends=True)
    for _ in range(3000):
        broken = lines.copy()
        for _ in range(chosen.randrange(1, 4)):
            index = chosen.randrange(len(broken))
            line = broken[index]
            place = chosen.randrange(len(line) + 1)
            broken[index] = chosen.choice(["", line * 2, line[:place], line[:place] + "é=:/ 9\r\n"])
        try:
            found = read_offer("".join(broken))
            sending = Sending(choose_h264(found.video, "avc1.42C01F"), "video", 1, 2, 3)
            assert write_answer(found, LOCAL, sending, None, "name").startswith("v=0")
            assert isinstance(found.candidates, list)
        except Unacceptable:
            continue


@pytest.mark.parametrize(
    ("codecs", "profiles", "expected"),
    [
        ("avc1.42C01F", ["640032", "42001f", "42e01f"], "42e01f"),
        ("avc1.42C01E", ["42001f", "640c1f"], "42001e"),
        ("avc1.640028", ["42e01f", "4d001f", "64001f"], "640028"),
        ("avc1.640028", ["42e01f", "640c1f"], "640c28"),
        ("avc1.4D401F", ["42e01f", "64001f"], "64001f"),
        ("avc1.640028", ["42e01f"], "42e028"),
    ],
)
async def test_the_profile_suits_the_camera(
    offer: str, codecs: str, profiles: list[str], expected: str
) -> None:
    head, _, video = offer.partition("m=video ")
    lines = [f"m=video 9 UDP/TLS/RTP/SAVPF {' '.join(str(100 + i) for i in range(len(profiles)))}"]
    lines += [line for line in video.splitlines()[1:] if ":" not in line or not rtp(line)]
    for number, profile in enumerate(profiles, 100):
        lines.append(f"a=rtpmap:{number} H264/90000")
        lines.append(f"a=fmtp:{number} packetization-mode=1;profile-level-id={profile}")
    found = read_offer(head + "\r\n".join(lines) + "\r\n")
    assert choose_h264(found.video, codecs).parameters.endswith(f"profile-level-id={expected}")


def rtp(line: str) -> bool:
    return line.startswith(("a=rtpmap", "a=fmtp", "a=rtcp-fb"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"ice_servers": ["stun:192.0.2.1?transport=udp"]}, "ice_servers"),
        ({"ice_servers": ["https://example.org"]}, "ice_servers"),
        ({"ice_servers": ["turn:192.0.2.1"]}, "needs ice_username and ice_credential"),
    ],
)
def test_ice_servers_that_browsers_refuse_are_wrong_settings(given: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Webrtc.model_validate(given)
