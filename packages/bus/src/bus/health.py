"""A file that tells a container's health check that this service works.

It holds what the broker has confirmed last: its being there is a round trip of the bus.
"""

import json
import logging
from pathlib import Path
from typing import Any

from . import topics
from .topics import Topic

log = logging.getLogger(__name__)

NAMES = {topics.SERVICE_STATUS.path: "service", topics.CAMERA_STATUS.path: "camera"}
"""Topic → what its newest status is called in the file."""


class Health:
    """Keeps the file; None for a service that nobody asks."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._said: dict[str, Any] = {}

    def confirmed(self, topic: Topic[Any], payload: bytes) -> None:
        """The broker has this status; others are of no interest.

        A file that cannot be written grows old, and whoever checks it says so.
        """
        name = NAMES.get(topic.path)
        if self._file is None or name is None:
            return
        self._said[name] = json.loads(payload)
        fresh = self._file.with_name(f".{self._file.name}")
        try:
            fresh.write_text(json.dumps(self._said), encoding="utf-8")
            fresh.replace(self._file)
        except OSError as error:
            log.warning("the health check's file: %s", error)
