"""How often passwords may be tried: from one network, and for one account from all of them."""

import logging
from time import monotonic
from typing import TypeVar

from .limit import Bucket, Limit, too_many
from .settings import Access

log = logging.getLogger(__name__)

K = TypeVar("K")
V = TypeVar("V")

MOST = 10_000
"""Pairs of an account and a network it has signed in from, that are remembered."""
SAID = 60.0
"""Seconds between two lines in the log about one network or one account."""
LINES = 10
"""Lines in the log at once, and so many more in a minute, however many networks guess."""
LONGEST_NAME = 65
"""Characters of a name by which it is counted; no user has a name as long."""


class Guesses:
    """Counts wrong passwords before anything is spent on the next one.

    Whoever comes from a network from which the account has signed in before, or has one of its
    cookies, is limited by that network alone: a guesser elsewhere locks no owner out.
    """

    def __init__(self, access: Access) -> None:
        self._networks = Limit(access.password_rate, access.password_burst, "passwords")
        self._accounts = Limit(access.account_rate, access.account_burst, "passwords")
        self._known: dict[tuple[str, str], None] = {}
        self._wrong: dict[str, int] = {}
        self._said: dict[str, float] = {}
        self._lines = Bucket(LINES / 60, LINES)

    def knows(self, name: str, network: str) -> bool:
        """Whether the account has signed in from there."""
        return (name, network) in self._known

    def check(self, name: str, network: str, known: bool) -> None:
        """Count a password that is about to be tried; raises HTTPException 429."""
        name = name[:LONGEST_NAME]
        if seconds := self._networks.bucket(network).take():
            self._say(network, name, network, seconds)
            raise too_many("passwords", seconds)
        if not known and (seconds := self._accounts.bucket(name).take()):
            self._say(f"as {name}", name, network, seconds)
            raise too_many("passwords", seconds)

    def right(self, name: str, network: str, known: bool) -> None:
        """It was the password."""
        remember(self._known, (name, network), None)
        self._wrong.pop(name, None)
        if not known:
            self._accounts.bucket(name).give_back()

    def wrong(self, name: str) -> None:
        """It was not."""
        name = name[:LONGEST_NAME]
        remember(self._wrong, name, self._wrong.get(name, 0) + 1)

    def _say(self, what: str, name: str, network: str, seconds: float) -> None:
        """One line each time that a network or an account is limited, not one a guess."""
        if monotonic() - self._said.get(what, -SAID) < SAID or self._lines.take():
            return
        remember(self._said, what, monotonic())
        log.warning(
            "sign-in as %r from %s refused for %.0f s: %d wrong passwords for that name so far",
            *(name, network, seconds, self._wrong.get(name, 0)),
        )


def remember(among: dict[K, V], key: K, value: V) -> None:
    """Keep the MOST newest."""
    among.pop(key, None)
    among[key] = value
    if len(among) > MOST:
        among.pop(next(iter(among)))
