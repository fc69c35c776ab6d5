"""What a program wrote to stderr before it ended, as one sentence."""

import re
from collections import deque
from collections.abc import Callable

_PREFIX = re.compile(r"^(\[[^\]]*\]\s*)+|^\*+\s*|^ERROR:\s*|\s*\*+$")
_NOISE = re.compile(
    r"Conversion failed|Last message repeated|^At least one output|Error while processing"
    r"|Nothing was written|^Traceback|^\s|Error opening (input|output) files|maybe incorrect param"
    r"|Exiting normally|^Task finished|^Terminating thread| INFO | WARN |^INFO|^Received signal"
    # rpicam-vid and libav in it, which say so in every run.
    r"|^(Output|Stream) #|^Stream configuration adjusted|^Mode selection for|^Using (tuning|crop)",
)
_WEAK = re.compile(
    r": (Input/output error|Invalid argument|Invalid data found.*)$"
    # Damaged pictures: they come with a bad connection and are not why a program ends.
    r"|non-existing [PS]PS|decode_slice_header|^no frame!|while decoding MB|^concealing|RTP: missed"
    r"|max delay reached|Non-monoton|co located POCs|mmco:|left block unavailable|corrupt decoded"
)
_WRONG = re.compile(
    r"error|fail|fatal|refus|denied|forbid|invalid|unable|abort|assert|exception|terminate"
    r"|timed out|cannot|can't|could ?n[o']t|not |\bno |\bbusy|missing|unknown|bad_alloc"
    r"|\d{3} [A-Z]",
    re.IGNORECASE,
)
_LONGEST = 300


class Complaint:
    """Collects stderr and keeps the first line that tells of an error, and the last few lines.

    `hide` is applied to every line, so that no secret gets out.
    """

    def __init__(self, hide: Callable[[str], str] = str) -> None:
        self._hide = hide
        self._rest = b""
        self._first = ""
        self._lines: deque[str] = deque(maxlen=5)

    def feed(self, data: bytes) -> None:
        """Take what was written; pieces of lines are put together, over-long ones cut."""
        *lines, self._rest = (self._rest + data).replace(b"\r", b"\n").split(b"\n")
        self._rest = self._rest[-4096:]
        for line in lines:
            self._take(line)

    def _take(self, line: bytes) -> None:
        text = line.decode(errors="replace")
        if _NOISE.search(text):
            return
        while (shorter := _PREFIX.sub("", text).strip()) != text:
            text = shorter
        if not text:
            return
        text = self._hide(text)[:_LONGEST]
        self._lines.append(text)
        if not self._first and _WRONG.search(text) and not _WEAK.search(text):
            self._first = text

    @property
    def lines(self) -> list[str]:
        """The first error, and the last few lines that mean something."""
        if self._rest:
            self.feed(b"\n")
        lines = list(self._lines)
        return lines if not self._first or self._first in lines else [self._first, *lines]

    @property
    def last(self) -> str:
        """The last line that says most; empty when there was none."""
        strong = [line for line in self.lines if not _WEAK.search(line)]
        return (strong or self.lines or [""])[-1]

    @property
    def words(self) -> str:
        """The first error, then the last words where they say something else; may be empty."""
        last = self.last
        if not self._first:
            return last
        more = last != self._first and bool(_WRONG.search(last))
        return f"{self._first}; then: {last}" if more else self._first
