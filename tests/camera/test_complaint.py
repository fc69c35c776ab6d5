"""What programs say when they end, in one sentence."""

import pytest
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
