"""Who is watching, as `chat` says it; the pages are told only what has changed."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from bus import Bus, Levels
from bus.messages import Viewer, Viewers
from bus.topics import VIEWERS

from .wire import text_frame


class Roster:
    """The newest roster, and its difference from the one before."""

    def __init__(self, bus: Bus) -> None:
        self.viewers: dict[str, Viewer] | None = None
        """By name; None while nothing has been heard."""
        self.count = 0
        self.on_change: Callable[[bytes], None] = lambda frame: None
        bus.subscribe(VIEWERS, self._take)

    def whole(self) -> bytes:
        """The frame for a page that has just come."""
        viewers = self.viewers or {}
        return self._frame(viewers.values(), [], whole=True)

    def _take(self, message: Viewers, _levels: Levels) -> None:
        before, was = self.viewers or {}, self.count
        is_first = self.viewers is None
        self.viewers = {viewer.name: viewer for viewer in message.viewers}
        self.count = message.count
        changed = [v for v in self.viewers.values() if not same(before.get(v.name), v)]
        left = [name for name in before if name not in self.viewers]
        if changed or left or is_first or was != self.count:
            self.on_change(self._frame(changed, left, whole=is_first))

    def _frame(self, viewers: Iterable[Viewer], left: list[str], whole: bool) -> bytes:
        """One message for all pages; of the heartbeats' times they need nothing."""
        shown = [viewer.model_dump(exclude={"seen"}) for viewer in viewers]
        about: dict[str, Any] = {"type": "viewers", "known": self.viewers is not None}
        about |= {"whole": whole, "viewers": shown, "left": left, "count": self.count}
        return text_frame(json.dumps(about))


def same(before: Viewer | None, after: Viewer) -> bool:
    """Whether a page would show the same."""
    return before is not None and (before.state, before.since) == (after.state, after.since)
