"""URLs: what may be said of them, and what they may open."""

import pytest
from camera.address import Address


def test_only_what_is_no_secret_is_shown() -> None:
    address = Address("rtsp://me:p%40ss@door:554/live?key=abc#x")
    assert address.shown == "rtsp://door:554/live"
    text = "rtsp://me:p%40ss@door:554/live?key=abc#x: 401, tried p@ss, key=abc"
    hidden = address.hide(text)
    for secret in ("p@ss", "p%40ss", "abc"):
        assert secret not in hidden
    assert address.hide("http://a:b@elsewhere/list") == "http://elsewhere/list"


@pytest.mark.parametrize("scheme", ["http", "https", "tcp", "udp", "rtsp", "rtmp", "srt"])
def test_what_comes_from_outside_opens_no_files(scheme: str) -> None:
    options = Address(f"{scheme}://door/x").options()
    allowed = options[options.index("-protocol_whitelist") + 1].split(",")
    assert "file" not in allowed
    assert scheme in allowed


def test_a_recording_is_played_at_its_speed_for_ever() -> None:
    options = Address("file:///tmp/a%20b.mp4").options()
    assert options[-4:] == ["-stream_loop", "-1", "-i", "file:/tmp/a b.mp4"]
    assert "-re" in options


def test_rtsp_goes_over_tcp() -> None:
    options = Address("rtsp://door/live").options()
    assert options[options.index("-rtsp_transport") + 1] == "tcp"
