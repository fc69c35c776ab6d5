"""Writes camera metadata as rpicam-vid does: one growing JSON array, a record a frame."""

import contextlib
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

log = logging.getLogger(__name__)

Value = bool | int | float | Sequence[float]


def place(runtime_dir: Path, camera: str) -> Path:
    """Where the metadata of a camera stands."""
    return runtime_dir / f"{camera}.metadata.json"


class MetadataFile:
    """The file of one run, begun anew. A disk that is full costs metadata, never the picture.

    What it cuts off stays: the reader passes over half a record, and takes those that come later.

    The group may write, where the umask lets it: `metadata` gives what it has read back.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = -1
        self._first = True
        self._full = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o664)
        except OSError as error:
            log.warning("no metadata in %s: %s", path, error.strerror)
        else:
            self._append(b"[\n")

    def write(self, record: Mapping[str, Value]) -> None:
        """Append one record in one piece."""
        if self._fd < 0:
            return
        lines = ",\n".join(f'    "{key}": {spelled(key, value)}' for key, value in record.items())
        text = ("" if self._first else ",\n") + f"{{\n{lines}\n}}"
        self._first = False
        self._append(text.encode())

    def close(self) -> None:
        """End the array."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.write(self._fd, b"\n]\n")
            os.close(self._fd)
            self._fd = -1

    def _append(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError as error:
            if not self._full:
                log.warning("no metadata in %s: %s", self._path, error.strerror)
            self._full = True
        else:
            if self._full:
                log.info("metadata in %s again", self._path)
            self._full = False


def spelled(key: str, value: Value) -> str:
    """A value as rpicam-vid spells it, which quotes only rectangles.

    picamera2 gives the rectangle ScalerCrop as (x, y, width, height).
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:f}"
    if isinstance(value, int):
        return str(value)
    if key == "ScalerCrop":
        x, y, width, height = value
        return f'"({x}, {y})/{width}x{height}"'
    return f"[ {', '.join(spelled(key, item) for item in value)} ]"
