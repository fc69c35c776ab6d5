"""Telling many at once: what goes wrong with one of them is no matter for the others."""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")


def tell_each(members: Iterable[T], tell: Callable[[T], None], drop: Callable[[T], None]) -> None:
    """Call `tell` for each member; one for whom it raises is dropped, and the rest are told."""
    for member in list(members):
        try:
            tell(member)
        # Whatever it is, it belongs to one of them: a closed socket, or a mistake of our own.
        except Exception:
            log.exception("one of many is let go")
            drop(member)
