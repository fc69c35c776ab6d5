"""Databases that were damaged, and clocks that services have found wrong."""

import shlex
from collections.abc import Iterator
from pathlib import Path

from bus.sqlite_file import asides

from .verdict import Verdict, ok, warn


def files(state: Path) -> Iterator[Verdict]:
    """What services have moved aside in their folders, which are below one, or are it."""
    try:
        folders = [state, *(path for path in sorted(state.iterdir()) if path.is_dir())]
        found = [path for folder in folders for path in asides(folder)]
    except OSError as error:
        yield warn(f"{state} cannot be looked at: {error.strerror}", "sudo make doctor")
        return
    for path in found:
        size = path.stat().st_size
        yield warn(
            f"{path} was damaged and moved aside ({size} bytes); what could be read goes on",
            f"look at the SD card or disk; when you need it no more: rm {shlex.quote(str(path))}*",
        )
    if not found:
        yield ok(f"no damaged database in {state}")
