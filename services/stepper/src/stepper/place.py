"""Where the motor is, kept over restarts; unknown from the first step of a movement to its end."""

import json
import logging
import os
from pathlib import Path

log = logging.getLogger(__name__)


class Place:
    """The file says where the motor stands, or null while it moves: so a kill leaves the truth."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "stepper.json"
        self.position = self._load()

    def save(self, position: int | None) -> None:
        """Replace the file at once or not at all, down to the disk; raises OSError."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump({"position": position}, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _load(self) -> int | None:
        try:
            saved = json.loads(self._path.read_text(encoding="utf-8"))
            position = saved["position"]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            log.warning("%s cannot be used (%r): the position is unknown", self._path, error)
            return None
        if isinstance(position, int) and not isinstance(position, bool):
            return position
        log.warning("it moved when the service ended: the position is unknown")
        return None
