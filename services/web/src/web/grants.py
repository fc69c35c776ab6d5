"""What is open at this moment, and by whose right: when the right ends, so does what it opened."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack

from .identity import Identity

End = Callable[[str], None]
"""Ends something that is open, for a reason in words."""


class Held:
    """One thing that is open."""

    __slots__ = ("end", "identity")

    def __init__(self, identity: Identity, end: End) -> None:
        self.identity = identity
        self.end = end


class Grants:
    """Sockets, streams and sessions, each with the identity that was let in."""

    def __init__(self) -> None:
        self._held: dict[Held, None] = {}

    def add(self, identity: Identity, end: End) -> Callable[[], None]:
        """Something has been opened. Returns the way to say that it is closed."""
        held = Held(identity, end)
        self._held[held] = None
        return lambda: self._held.pop(held, None) and None

    def held(self, identity: Identity, end: End) -> AbstractContextManager[object]:
        """Something is open for as long as the block runs."""
        stack = ExitStack()
        stack.callback(self.add(identity, end))
        return stack

    def review(self, why_over: Callable[[Identity], str | None]) -> None:
        """Ask of each whether its right has ended, and end it with the reason."""
        for held in list(self._held):
            if reason := why_over(held.identity):
                self._held.pop(held, None)
                held.end(reason)
