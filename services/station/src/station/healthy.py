"""Whether the service in this container works: `python -S -m station.healthy`, for Compose.

It reads what the service wrote when the broker last confirmed a status (`mqtt.health_file`), so it
needs nothing but Python's own library, and costs a Pi little. A device that is absent and said to
be is healthy: the service does what can be done. A camera of which nothing leaves is not.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

FILE = "BEEPER_MQTT__HEALTH_FILE"
SILENT = 30.0
"""Seconds without a confirmed status after which a service counts as lost."""
STALLED = 15.0
"""Seconds without a frame after which a camera that says `streaming` does not work."""


def main() -> int:
    """The command; 1 with the reason when it does not work."""
    url = sys.argv[1] if len(sys.argv) > 1 else ""
    wrong = complaint(Path(os.environ[FILE]), time.time()) or (unanswered(url) if url else "")
    sys.stdout.write(f"{wrong or 'works'}\n")
    return 1 if wrong else 0


def complaint(file: Path, now: float) -> str:
    """What is wrong at a Unix time (s); empty when nothing is."""
    try:
        said: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return f"the broker has confirmed nothing yet: {error}"
    for name, status in said.items():
        age = now - status["timestamp"]
        if age > SILENT:
            return f"the broker has confirmed no {name} status for {age:.0f} s"
    if media := said.get("service", {}).get("problems", {}).get("media"):
        return str(media)
    camera = said.get("camera", {})
    if camera.get("state") != "streaming":
        return ""
    age = now - (camera["last_frame_at"] or 0)
    return f"no frame for {age:.0f} s" if age > STALLED else ""


def unanswered(url: str) -> str:
    """What is wrong with an HTTP server of our own; empty when it answers with 200."""
    from urllib.request import urlopen

    try:
        with urlopen(url, timeout=4):  # noqa: S310 (the healthcheck's own URL)
            return ""
    except OSError as error:
        return f"{url}: {error}"


if __name__ == "__main__":
    raise SystemExit(main())
