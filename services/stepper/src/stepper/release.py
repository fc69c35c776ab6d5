"""`python -m stepper.release`: switch ENABLE off, for a supervisor to run after the service.

The indexer does it whenever the service ends, and the service when the indexer does. This is for
a supervisor that kills both at once (systemd: `ExecStopPost`).
"""

import argparse
import sys

from bus import settings as configuration

from .pins import release
from .settings import Settings


def main() -> None:
    """Release the pin that the settings name; exit code 1 when it cannot be had."""
    argparse.ArgumentParser(prog="python -m stepper.release", description=__doc__).parse_args()
    try:
        settings = configuration.load(Settings)
    except configuration.SettingsError as error:
        sys.exit(f"stepper.release: {error}")
    if not settings.stepper.enabled:
        return
    try:
        release(settings.stepper)
    except Exception as error:  # noqa: BLE001 (lgpio and gpiozero have no common class)
        sys.exit(f"stepper.release: ENABLE could not be switched off: {error}")


if __name__ == "__main__":
    main()
