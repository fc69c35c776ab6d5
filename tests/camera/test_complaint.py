"""What programs say when they end, in one sentence."""

import pytest
from camera.child import reason
from camera.complaint import Complaint


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (b"[in#0 @ 0x55]\t[v4l2 @ 0x5]  no such thing\n", "no such thing"),
        (b"ERROR: *** no cameras available ***\n", "no cameras available"),
        (
            b"cannot open it (No such device)\nConversion failed!\n",
            "cannot open it (No such device)",
        ),
        (
            b"cannot open audio device mic (Busy)\nmic: Input/output error\n",
            "cannot open audio device mic (Busy)",
        ),
        (b"/dev/video0: Input/output error\n", "/dev/video0: Input/output error"),
        (
            b"Traceback (most recent call last):\n  File x\nRuntimeError: it hangs\n",
            "RuntimeError: it hangs",
        ),
        (
            b"[0:01:02.3] [99]  INFO Camera camera_manager.cpp:327 libcamera v0.7.2\n"
            b"Mode selection for 800:600:12:P(15)\n    SRGGB10_CSI2P,1536x864/0 - Score: 2\n"
            b"ERROR: *** failed to start camera ***\n"
            b"Stream configuration adjusted\n[0:01:02.4] [100]  WARN V4L2 v4l2.cpp:1 odd\n"
            b"Output #0, h264, to 'video.h264':\n  Stream #0:0: Video: h264, 800x600\n",
            "failed to start camera",
        ),
        (b"without a line end", "without a line end"),
        (b"", ""),
    ],
)
def test_the_line_that_says_most_is_kept(said: bytes, sentence: str) -> None:
    complaint = Complaint()
    for index in range(len(said)):
        complaint.feed(said[index : index + 1])
    assert complaint.last == sentence


def test_secrets_are_hidden_and_lines_are_bounded() -> None:
    complaint = Complaint(lambda text: text.replace("hunter2", "…"))
    complaint.feed(b"hunter2 " + b"x" * 10_000 + b"\n")
    assert "hunter2" not in complaint.last
    assert len(complaint.last) <= 300


@pytest.mark.parametrize(
    ("said", "words"),
    [
        # The first error is why; what followed from it comes after.
        (
            b"Could not open any dma-buf provider\nAttributeError: no attribute 'mapped_buffers'\n",
            "Could not open any dma-buf provider; then: "
            "AttributeError: no attribute 'mapped_buffers'",
        ),
        (
            b"Stream configuration adjusted\nfailed to import fd 19\nOutput #0, h264, to 'pipe:'\n",
            "failed to import fd 19",
        ),
        (
            b"[h264 @ 0x5] non-existing PPS 0 referenced\n[tcp @ 0x6] Connection timed out\n",
            "Connection timed out",
        ),
        (b"no camera\n" + b"another line\n" * 20, "no camera"),
        (b"it says hello\n", "it says hello"),
    ],
)
def test_the_first_error_comes_before_the_last_words(said: bytes, words: str) -> None:
    complaint = Complaint()
    complaint.feed(said)
    assert complaint.words == words


@pytest.mark.parametrize(
    ("code", "words", "told"),
    [
        (-9, "Output #0, h264", "it was killed by SIGKILL (out of memory?): Output #0, h264"),
        (-6, "", "it was killed by SIGABRT"),
        (-40, "", "it was killed by signal 40"),
        (3, "no camera", "it ended with exit code 3: no camera"),
        (1, "no camera", "no camera"),
        (1, "", "it ended with exit code 1"),
        (0, "", "it ended"),
        (0, "bye", "bye"),
        (None, "", "it ended"),
    ],
)
def test_signal_and_exit_code_come_first(code: int | None, words: str, told: str) -> None:
    assert reason(code, words) == told
