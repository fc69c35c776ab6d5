"""What one look at the machine came to."""

from typing import Literal, NamedTuple

Grade = Literal["ok", "warn", "fail"]


class Verdict(NamedTuple):
    """One line; `cure` says what to do, and is empty where all is well."""

    grade: Grade
    what: str
    cure: str = ""

    def line(self) -> str:
        """As it is printed."""
        cure = f": {self.cure}" if self.cure else ""
        return f"{self.grade:5}{self.what}{cure}"


def ok(what: str) -> Verdict:
    """All is well."""
    return Verdict("ok", what)


def warn(what: str, cure: str) -> Verdict:
    """The station runs, but lacks something."""
    return Verdict("warn", what, cure)


def fail(what: str, cure: str) -> Verdict:
    """The station, or a part of it that is configured, cannot run so."""
    return Verdict("fail", what, cure)
