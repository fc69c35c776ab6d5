"""ffmpeg's errors in words: for an address the cause, for a device the cause and ffmpeg's words."""

import pytest
from camera.address import Address
from camera.meaning import in_words
from camera.source import SourceError


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("/dev/video0: Device or resource busy", "busy, another program uses it: "),
        ("/dev/video0: Permission denied", "no permission: "),
        ("something else", ""),
    ],
)
def test_of_a_device_the_cause_stands_before_what_ffmpeg_said(said: str, meant: str) -> None:
    assert str(in_words(SourceError(said), [said])) == meant + said


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (
            "Connection to tcp://127.0.0.1:554?… failed: Connection refused",
            "port 554 refuses connections",
        ),
        ("Connection to tcp://[::1]:88 failed: Connection refused", "port 88 refuses connections"),
        ("pipe:0: Connection refused", "port 554 refuses connections"),
        ("Failed to resolve hostname door: Name or service not known", "no such host"),
        ("method DESCRIBE failed: 404 Not Found", "it has no such path (404)"),
        ("HTTP error 403 Forbidden", "it forbids this (403)"),
        ("method SETUP failed: 461 Unsupported", "it refuses the request (461)"),
        ("Server returned 5XX Server Error reply", "it has an error of its own (5XX)"),
        ("pipe:0: No route to host", "no way leads there; is it on?"),
        ("Stream map '0:a:0' matches no streams.", "the camera has no sound"),
        # FFmpeg 9 says it so.
        ("Failed to set value '0:a:0' for option 'map': Invalid", "the camera has no sound"),
        ("Connection to srt://127.0.0.1:9 failed: Input/output error", "it does not answer"),
        ("Impossible to open 'rtsps://door/…'", "the TLS connection failed"),
        ("Impossible to open 'rtsp://door/…'", "Impossible to open 'rtsp://door/…'"),
        ("pipe:0: Invalid data found when processing input", "what it sends is no video"),
        ("something else", "something else"),
    ],
)
def test_of_an_address_the_cause_is_told(said: str, meant: str) -> None:
    lines = ["some noise", said, "Impossible to open it"]
    error = in_words(SourceError(said), lines, Address("rtsp://door/live"))
    assert str(error).startswith(meant)


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("rtsp://door/live", "it asks for a user name and password (401)"),
        ("rtsp://me:no@door/live", "it refuses this user name or password (401)"),
    ],
)
def test_401_is_told_by_what_was_given(url: str, meant: str) -> None:
    said = "method DESCRIBE failed: 401 Unauthorized"
    assert str(in_words(SourceError(said), [said], Address(url))) == meant
