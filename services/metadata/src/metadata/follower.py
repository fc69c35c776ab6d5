"""One camera's metadata file, followed while its encoder writes it."""

import os
import stat
from pathlib import Path
from typing import NamedTuple

from .hole import punch
from .record import MAX_RECORD, Form, Record, newest

WINDOW = 4096
"""Bytes before the end that hold a whole record as a rule."""

WIDE_WINDOW = 2 * MAX_RECORD
"""Bytes that hold one in any case: the largest, and the next, half written."""

DISK_LIMIT = 4 * 1024 * 1024
KEEP = 1024 * 1024
"""The file may take `DISK_LIMIT` bytes of disk, then all but the last `KEEP` are given back."""


class News(NamedTuple):
    """A record that was not there at the last look."""

    fields: dict[str, object]
    written: float
    """The file's modification time (Unix, s)."""


class Follower:
    """Looks at the end of one file; what it costs does not depend on the file's size.

    `skip` leaves out what is in the file at the first look: the service published it before it
    was restarted, or nobody did, and then it is old.
    """

    def __init__(self, path: Path, form: Form, skip: bool) -> None:
        self.path = path
        self.problem: str | None = None
        """Why the file yields nothing, or grows, for a person; None when all is well."""
        self._form: Form = form
        self._skip = skip
        self._descriptor = -1
        self._inode = 0
        self._looked = (-1, 0)
        self._seen: object = None
        self._read_to = 0

    def poll(self) -> News | None:
        """The newest record if it is new. Raises OSError when the file cannot be read."""
        status = os.fstat(self._descriptor) if self._descriptor >= 0 else self._open()
        if status.st_nlink == 0:
            status = self._open()
        if (status.st_size, status.st_mtime_ns) == self._looked:
            return None
        record = self._newest(status.st_size)
        new = record is not None and self._is_new(record)
        self._looked, self._skip = (status.st_size, status.st_mtime_ns), False
        self.problem = self._stuck(status.st_size, record) or self._give_back(status)
        return News(record.fields, status.st_mtime) if record and new else None

    def leave(self, inode: int) -> None:
        """Let go of a file that was moved away: another one has its name, with this number."""
        if inode != self._inode:
            self.close()

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self) -> os.stat_result:
        """Open what is at the path now; an encoder that starts again may make a new file."""
        self.close()
        # A link could make us punch holes into another file; a FIFO would block the open.
        flags = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            self._descriptor = os.open(self.path, os.O_RDWR | flags)
        except PermissionError:
            self._descriptor = os.open(self.path, os.O_RDONLY | flags)
        status = os.fstat(self._descriptor)
        if not stat.S_ISREG(status.st_mode):
            self.close()
            raise OSError(f"{self.path} is not a regular file")
        self._inode = status.st_ino
        self._looked = (-1, 0)
        self._read_to = 0
        return status

    def _newest(self, size: int) -> Record | None:
        for window in (WINDOW, WIDE_WINDOW):
            start = max(0, size - window)
            tail = os.pread(self._descriptor, size - start, start)
            if record := newest(tail, self._form, start == 0):
                return Record(start + record.start, record.fields)
            if start == 0:
                break
        return None

    def _is_new(self, record: Record) -> bool:
        identity = record.fields.get("SensorTimestamp") or record
        known, self._seen = identity == self._seen, identity
        return not (known or self._skip)

    def _stuck(self, size: int, record: Record | None) -> str | None:
        if record or size < self._read_to:
            self._read_to = size
        if size - self._read_to > WIDE_WINDOW:
            return f"{self.path.name} grows, but its end holds no {self._form} record"
        return None

    def _give_back(self, status: os.stat_result) -> str | None:
        if status.st_blocks * 512 <= DISK_LIMIT:
            return None
        try:
            punch(self._descriptor, status.st_size - KEEP)
        except OSError as error:
            return f"{self.path.name} cannot be given back to the disk: {error.strerror}"
        return None
