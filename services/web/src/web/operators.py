"""Who may steer: `access.operators`, read again when beeper.toml changes."""

import logging
from collections.abc import Collection

from bus.settings import SettingsError, config_file, load

from .settings import Settings
from .signedout import stamp_of

log = logging.getLogger(__name__)


class Operators:
    """Their names, as the settings have them."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)
        self._stamp = stamp_of(config_file())

    def has(self, subject: str) -> bool:
        """Whether somebody is one."""
        return subject in self._names

    def refresh(self) -> None:
        """Read the settings again when their file has changed; what is wrong changes nothing."""
        stamp = stamp_of(config_file())
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            names = frozenset(load(Settings).access.operators)
        except (SettingsError, ValueError, OSError) as error:
            log.error("access.operators stays as it was: %s", error)
            return
        if names != self._names:
            log.info("operators: %s", ", ".join(sorted(names)) or "nobody")
            self._names = names
