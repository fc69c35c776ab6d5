"""What arrives at the targets, and what the relay says meanwhile."""

import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from camera_ear import Ear, alive, children, variables
from conftest import Start, free_port, wait_until
from media.h264 import nal_type
from nginx_rtmp import NginxRtmp
from relay_peers import Hearing, Receiver, Relay, Relays, encoded

KEY = 5
"""nal_unit_type of a slice of an IDR picture (H.264, table 7-1)."""
KINDS = ["rtsp", "rtmp", "whip"]


@pytest.fixture
def receiver(request: pytest.FixtureRequest) -> Receiver:
    """The receiver of the kind that the test is run for."""
    found: Receiver = request.getfixturevalue(request.param)
    return found


def check_slices(received: list[bytes], ear: Ear) -> None:
    """Fail unless what was received is what the camera encoded, and goes on only at key frames.

    A busy machine makes pictures late, and the relay leaves them out up to the next key frame.
    """
    sent = encoded([fragment.data for fragment in ear.video])
    at = sent.index(received[0])
    for one in received:
        place = sent.index(one, at)
        assert place == at or nal_type(one) == KEY
        at = place + 1


@pytest.mark.parametrize("receiver", KINDS, indirect=True)
def test_slices_arrive_as_they_were_encoded_before_and_after_a_restart(
    receiver: Receiver, relays: Relays, ear: Ear
) -> None:
    relay = relays("one", receiver.url)
    check_slices(receiver.receives(60), ear)
    before = relay.streams()
    receiver.kill()
    relay.fails()
    receiver.start()
    check_slices(receiver.receives(60), ear)
    after = relay.streams()
    assert after.restarts > before.restarts
    assert after.bytes_sent >= before.bytes_sent > 0
    assert after.error is None


def test_nginx_takes_it_before_and_after_a_restart(
    tmp_path: Path, relays: Relays, ear: Ear
) -> None:
    with NginxRtmp(tmp_path) as nginx:
        relay = relays("one", nginx.url, stream_key="a-key")
        check_slices(nginx.receives(60), ear)
        nginx.kill()
        relay.fails()
        nginx.start()
        check_slices(nginx.receives(60), ear)
        assert relay.streams().target == f"rtmp://127.0.0.1:{nginx.port}/…"


@pytest.mark.parametrize("receiver", KINDS, indirect=True)
def test_a_target_that_stops_reading_is_noticed(receiver: Receiver, relays: Relays) -> None:
    relay = relays("one", receiver.url, stall_timeout="1")
    receiver.receives(30)
    assert receiver.process
    receiver.process.send_signal(signal.SIGSTOP)
    failed = relay.fails("accepted nothing for 1 s")
    receiver.kill()
    receiver.start()
    receiver.receives(30)
    assert relay.streams().bytes_sent > failed.bytes_sent


def test_a_failing_target_leaves_another_and_the_camera_alone(
    rtsp: Receiver, relays: Relays, ear: Ear
) -> None:
    good = relays("good", rtsp.url)
    rtsp.receives(1)
    bad = relays("bad", f"rtsp://127.0.0.1:{free_port()}/csi_camera")
    bad.says(lambda status: status.restarts >= 3, "bad fails thrice")
    bad.service.kill()
    check_slices(rtsp.receives(len(rtsp.received()) + 30), ear)
    assert {status.restarts for status in good.statuses} == {0}
    assert ear.said(lambda status: status.state == "streaming", "streaming").restarts == 0


def test_a_whip_endpoint_that_answers_nonsense_is_a_failure_like_others(relays: Relays) -> None:
    class Nonsense(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(201)
            self.send_header("Location", "http://[x")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Nonsense) as server:
        threading.Thread(target=server.serve_forever).start()
        relay = relays("one", f"whip://127.0.0.1:{server.server_address[1]}/whip")
        relay.fails("Location is no URL")
        server.shutdown()
    assert "Traceback" not in relay.service.log()


def test_the_pauses_grow(relays: Relays) -> None:
    url = f"rtsp://127.0.0.1:{free_port()}/csi_camera"
    relay = relays("one", url, backoff_min="0.1", backoff_max="0.4")
    relay.says(lambda status: status.restarts >= 4, "four attempts have failed")
    pauses = [line.split()[-2] for line in relay.service.log().splitlines() if "again in" in line]
    assert pauses[:4] == ["0.1", "0.2", "0.4", "0.4"]


def test_a_good_run_makes_the_pause_short_again(rtsp: Receiver, relays: Relays) -> None:
    rtsp.kill()
    relay = relays("one", rtsp.url, good_run="1")
    relay.says(lambda status: status.restarts >= 3, "three attempts have failed")
    rtsp.start()
    rtsp.receives(60)
    relay.streams()
    rtsp.kill()
    relay.fails()
    wait_until(lambda: pauses(relay)[-1] == "0.1", "a short pause again")


def pauses(relay: Relay) -> list[str]:
    return [line.split()[-2] for line in relay.service.log().splitlines() if "again in" in line]


def test_a_camera_that_encodes_on_demand_is_asked(
    start: Start, ear: Ear, hearing: Hearing, rtsp: Receiver
) -> None:
    start("camera", "csi", **variables("csi", driver="test", demand="on_demand"))
    ear.said(lambda status: status.state == "stopped", "the camera rests")
    Relays(start, hearing)("one", rtsp.url)
    check_slices(rtsp.receives(10), ear)


def test_a_camera_that_goes_is_waited_for(
    start: Start, ear: Ear, hearing: Hearing, rtsp: Receiver
) -> None:
    relay = Relays(start, hearing)("one", rtsp.url, camera_timeout="1")
    relay.says(lambda s: s.error == "camera csi gives no picture", "there is no camera")
    camera = start("camera", "csi", **variables("csi", driver="test"))
    rtsp.receives(10)
    camera.kill()
    gone = relay.says(lambda status: "no picture" in (status.error or ""), "the camera has gone")
    assert gone.state == "starting"
    wait_until(lambda: rtsp.process and rtsp.process.poll() is not None, "the target is let go")
    rtsp.start()
    start("camera", "csi", **variables("csi", driver="test"))
    check_slices(rtsp.receives(10), ear)


def test_nothing_is_left_when_the_relay_dies(rtsp: Receiver, relays: Relays) -> None:
    relay = relays("one", rtsp.url)
    rtsp.receives(1)
    left = children(relay.service)
    assert left
    relay.service.kill()
    wait_until(lambda: not any(map(alive, left)), "its writer has ended too")


def test_it_stops_in_order(rtsp: Receiver, relays: Relays) -> None:
    relay = relays("one", rtsp.url)
    rtsp.receives(1)
    relay.streams()
    assert relay.service.terminate() == 0
    relay.says(lambda status: status.state == "stopped", "it has stopped")
