import itertools
import json
import socket
import time
from typing import Any

import pytest
from bus.messages import CameraLease
from bus.topics import CAMERA_LEASE
from bus_camera import FPS, GROUP, Camera
from conftest import Start, wait_until
from media.cmaf import AUDIO_TRACK, Init
from web_station import Frame, Web, close_of, frames, gaps, messages
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection

BROWSER = (
    "GET /live/csi HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Origin: http://{host}\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
)


def raw_viewer(web: Web) -> tuple[socket.socket, bytes]:
    """A browser's handshake on a plain socket with a small buffer, and the answer's head."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", web.port))
    client.sendall(BROWSER.format(host=web.host).encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += client.recv(1)
    return client, head


def test_a_joiner_gets_header_and_group_of_pictures_at_once(web: Web) -> None:
    with web.socket("live/csi") as first:
        frames(first, GROUP + 1)
        with web.socket("live/csi") as joiner:
            began = time.time()
            found: list[Any] = []
            for message in messages(joiner):
                found.append(message)
                if sum(isinstance(one, Frame) for one in found) == 3:
                    break
    track, init, state, *pictures = found
    assert track["type"] == "track" and track["track"] == "video"
    assert (track["width"], track["height"], track["session"]) == (320, 240, "first")
    assert Init.parse(init).codecs == track["codecs"]
    assert state == {"type": "state", "state": "streaming", "reason": ""}
    assert pictures[0].header.key
    assert pictures[0].header.capture < began, "it did not have to wait for the next one"


def test_every_frame_arrives_fresh_while_the_viewer_acknowledges(web: Web) -> None:
    with web.socket("live/csi") as viewer:
        wait_until(lambda: arrives(viewer), "every frame of a while, fresh")


def test_compression_is_refused_although_browsers_offer_it(web: Web) -> None:
    client, head = raw_viewer(web)
    client.close()
    assert head.startswith(b"HTTP/1.1 101 ")
    assert b"sec-websocket-extensions" not in head.lower()


def test_a_viewer_that_does_not_read_loses_frames_and_delays_nobody(web: Web) -> None:
    stuck, _ = raw_viewer(web)
    with stuck, web.socket("live/csi") as viewer:
        dropped = 'beeper_frames_total{camera="csi",fate="dropped"}'
        while web.count(dropped) < 2 * FPS:
            frames(viewer, 10)
        wait_until(lambda: arrives(viewer), "every frame of a while, fresh")


def arrives(viewer: ClientConnection) -> bool:
    """Whether no frame of two seconds is missing and they are not late.

    On a busy machine this process may be too slow to acknowledge, for a while.
    """
    found = frames(viewer, 2 * FPS)
    return not gaps(found) and min(frame.age for frame in found) < 0.1


def test_without_acknowledgement_frames_stop_and_begin_again_at_a_key_frame(web: Web) -> None:
    with web.socket("live/csi") as viewer:
        found: list[Frame] = []
        while not gaps(found):
            found += frames(viewer, 1, ack=False)
    assert all(frame.header.key for frame in gaps(found))


def test_a_viewer_that_never_answers_is_let_go(camera: Camera, start: Start) -> None:
    camera.say()
    camera.film()
    web = Web(start, unanswered="1.5")
    web.knows("csi")
    with web.socket("live/csi") as viewer:
        close_of(viewer)
    wait_until(lambda: web.count('beeper_viewers{camera="csi"}') == 0, "the viewer is forgotten")


def test_a_restarted_encoder_brings_a_new_header_and_a_key_frame(web: Web, camera: Camera) -> None:
    with web.socket("live/csi") as viewer:
        frames(viewer, 15)
        camera.film("second")
        found: list[Any] = []
        for message in messages(viewer):
            if found or (isinstance(message, dict) and message.get("session") == "second"):
                found.append(message)
            if isinstance(message, Frame):
                viewer.send(json.dumps({"type": "ack", "seq": message.header.seq}))
                if found:
                    break
        assert isinstance(found[1], bytes)
        assert found[-1].header.key
        assert not gaps(frames(viewer, 30))


def test_audio_is_sent_only_after_it_was_asked_for(web: Web) -> None:
    with web.socket("live/csi") as viewer:
        seen = (m.header.track_id for m in messages(viewer) if isinstance(m, Frame))
        assert AUDIO_TRACK not in list(itertools.islice(seen, 10))
        viewer.send('{"type":"audio","on":true}')
        announced = False
        for message in messages(viewer):
            if isinstance(message, dict):
                announced = announced or message.get("track") == "audio"
            elif isinstance(message, Frame) and message.header.track_id == AUDIO_TRACK:
                break
        assert announced
        viewer.send('{"type":"audio","on":false}')

        def quiet() -> bool:
            return AUDIO_TRACK not in list(itertools.islice(seen, 10))

        wait_until(quiet, "only pictures come")


def test_an_unknown_camera_is_named_so(web: Web) -> None:
    with web.socket("live/nothing") as viewer:
        assert close_of(viewer)[0] == 4404


def test_too_many_viewers_are_turned_away(camera: Camera, start: Start) -> None:
    camera.say()
    camera.film()
    web = Web(start, max_viewers="1")
    web.knows("csi")
    with web.socket("live/csi") as one:
        frames(one, 1)
        with web.socket("live/csi") as two:
            assert close_of(two)[0] == 4503


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("rubbish", 1008),
        ("[" * 5000, 1008),
        ('{"type":"ack","seq":"7"}', 1008),
        ('{"type":"ack","seq":7,"more":1}', 1008),
        (b"\x00\x01", 1008),
        ("x" * 70_000, 1009),
    ],
    ids=["no json", "nested", "wrong type", "unknown key", "binary", "oversized"],
)
def test_what_is_against_the_protocol_ends_the_connection_and_is_counted(
    web: Web, message: str | bytes, code: int
) -> None:
    with web.socket("live/csi") as viewer:
        viewer.send(message)
        found, reason = close_of(viewer)
    assert (found, bool(reason)) == (code, True)
    wait_until(lambda: web.count("beeper_malformed_client_messages_total") == 1, "it is counted")
    assert web.get("/healthz").status == 200


def test_acknowledgements_of_what_was_never_sent_change_nothing(web: Web) -> None:
    with web.socket("live/csi") as viewer:
        for seq in (-1, 0, 1 << 31, (1 << 32) - 1, 1 << 70):
            viewer.send(json.dumps({"type": "ack", "seq": seq}))
        assert not gaps(frames(viewer, 30))


def test_a_page_of_another_origin_may_not_watch(camera: Camera, start: Start) -> None:
    camera.say()
    camera.film()
    web = Web(start, origins='["https://friend.example"]')
    web.knows("csi")
    with pytest.raises(InvalidStatus) as refused:
        web.socket("live/csi", origin="http://evil.example")
    assert refused.value.response.status_code == 403
    for origin in (f"http://{web.host}", "https://friend.example"):
        with web.socket("live/csi", origin=origin) as viewer:
            frames(viewer, 1)


def test_viewers_are_told_why_there_is_no_picture(web: Web, camera: Camera) -> None:
    with web.socket("live/csi") as viewer:
        frames(viewer, 15)
        camera.stop()
        camera.say(state="backoff", error="no device /dev/video0")
        state = next(m for m in messages(viewer) if isinstance(m, dict))
        assert state["state"] == "waiting"
        assert "no device /dev/video0" in state["reason"]
        camera.say()
        camera.film()
        state = next(m for m in messages(viewer) if isinstance(m, dict) and m["type"] == "state")
        assert state["state"] == "streaming"


def test_a_camera_is_heard_and_leased_only_while_somebody_watches(web: Web, camera: Camera) -> None:
    leases: list[CameraLease] = []
    camera.subscribe(CAMERA_LEASE, lambda lease, levels: leases.append(lease))
    camera.say(demand="on_demand")
    video = 'beeper_fragments_total{camera="csi",kind="video"}'
    assert web.count(video) == 0
    with web.socket("live/csi") as viewer:
        frames(viewer, 1)
        wait_until(lambda: leases, "a lease")
    assert leases[0].holder == "web"
    wait_until(lambda: quiet(web, video), "web hears the camera no more")


def quiet(web: Web, metric: str) -> bool:
    before = web.count(metric)
    time.sleep(0.2)
    return web.count(metric) == before
