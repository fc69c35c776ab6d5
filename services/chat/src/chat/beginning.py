"""Which start of the whole station this is."""

from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
MARKER = "started"
"""A file in `runtime_dir`; whoever starts the whole station writes something new into it."""


def beginning(runtime_dir: Path) -> str:
    """The same for as long as the station runs, whichever of its services restart meanwhile."""
    return f"{read(BOOT_ID)} {read(runtime_dir / MARKER)}".strip()


def read(path: Path) -> str:
    """The first 64 characters of a file; empty where there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")[:64].strip()
    except OSError:
        return ""
