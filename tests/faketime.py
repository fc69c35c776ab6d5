"""A wall clock that can be set while services run: libfaketime, and a kernel that obeys.

The monotonic clocks stay as they are, as when somebody sets the real one.
"""

from pathlib import Path

LIBRARY = next(
    iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))),
    Path("/usr/lib/faketime/libfaketime.so.1"),
)


class FakeTime:
    """The variables of services whose wall clock is off, and the ways to change it."""

    def __init__(self, folder: Path, offset: str = "+0") -> None:
        self._file = folder / "faketime"
        self._kernel = folder / "kernel"
        self.set(offset)
        self.synchronise(False)

    @property
    def variables(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "BEEPER_CLOCK__TRUSTED": "false",
            "BEEPER_CLOCK__KERNEL": str(self._kernel),
        }

    def set(self, offset: str) -> None:
        """Such as `+1095d`, `-1h`; or a time, `@1970-01-01 00:02:00`, from which it goes on."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(offset + "\n")
        fresh.replace(self._file)

    def synchronise(self, yes: bool) -> None:
        """What the kernel says of a time server."""
        self._kernel.write_text("synchronised" if yes else "unsynchronised")
