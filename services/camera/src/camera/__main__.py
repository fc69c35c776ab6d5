"""Starts one camera: `python -m camera csi`."""

import contextlib
import sys

from bus import Bus, main
from bus.settings import SettingsError, load

from .live import Live
from .settings import Settings


async def work(bus: Bus, settings: Settings, name: str) -> None:
    """Capture and encode one camera, and publish it frame by frame."""
    await Live(bus, settings, name).run()


def check_name(arguments: list[str]) -> None:
    """End with one line when the camera is not configured; wrong settings are told by `main`."""
    names = [argument for argument in arguments if not argument.startswith("-")]
    with contextlib.suppress(SettingsError):
        known = load(Settings).camera
        if names and names[0] not in known:
            sys.exit(f"camera: there is no camera {names[0]!r}; configured: {', '.join(known)}")


if __name__ == "__main__":
    check_name(sys.argv[1:])
    main("camera", Settings, work, takes="camera")
