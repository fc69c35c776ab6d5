"""What a service keeps of the time on the disk, for its next start."""

import contextlib
import logging
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from .messages import ClockState

log = logging.getLogger(__name__)


class Note(BaseModel):
    """The content of the file; times in Unix seconds."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    boot: str
    offset: float
    """Unix time minus CLOCK_BOOTTIME in that boot."""
    state: ClockState
    doubted: bool
    """Whether anything of that boot was marked as having no known time."""
    known: float
    """The newest time that somebody vouched for."""
    newest: float
    """The newest time."""


def read(file: Path) -> Note | None:
    """What was noted last; None when nothing was, or it is of no use, which is logged."""
    try:
        return Note.model_validate_json(file.read_bytes())
    except (FileNotFoundError, PermissionError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        log.warning("%s cannot be used: %s", file, error)
        return None


def write(file: Path, note: Note) -> None:
    """Replace the file at once; without it the next start waits for a time server, no more."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        fresh.write_text(note.model_dump_json(), encoding="utf-8")
        fresh.replace(file)
