"""What a program wrote to stderr before it ended, as one sentence."""

import re
from collections import deque
from collections.abc import Callable

_PREFIX = re.compile(r"^(\[[^\]]*\]\s*)+|^\*+\s*|^ERROR:\s*|\s*\*+$")
_NOISE = re.compile(
    r"Conversion failed|Last message repeated|^At least one output|Error while processing"
    r"|Nothing was written|^Traceback|^\s|Error opening (input|output) files|maybe incorrect param"
    r"|Exiting normally|^Task finished|^Terminating thread| INFO | WARN |^INFO|^Received signal",
)
_WEAK = re.compile(r": (Input/output error|Invalid argument|Invalid data found.*)$")
_LONGEST = 300


class Complaint:
    """Collects stderr and keeps the last line that means something.

    `hide` is applied to every line, so that no secret gets out.
    """

    def __init__(self, hide: Callable[[str], str] = str) -> None:
        self._hide = hide
        self._rest = b""
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
        if text:
            self._lines.append(self._hide(text)[:_LONGEST])

    @property
    def lines(self) -> list[str]:
        """The last few lines that mean something."""
        if self._rest:
            self.feed(b"\n")
        return list(self._lines)

    @property
    def last(self) -> str:
        """The last line that says most; empty when there was none."""
        strong = [line for line in self.lines if not _WEAK.search(line)]
        return (strong or self.lines or [""])[-1]
