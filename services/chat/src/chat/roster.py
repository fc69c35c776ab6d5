"""Who is watching: sessions make people, people make the roster."""

from collections.abc import Iterable

from bus.messages import Heartbeat, Viewer
from bus.messages.people import Presence

from .settings import Chat

SESSIONS = 20
"""Tabs and devices of one person; the one heard longest ago makes room."""
TRUSTED = "(before the restart)"
"""The session of somebody whom the last roster named, until a heartbeat of theirs is heard."""


class Session:
    """One tab or device."""

    def __init__(self, state: Presence, heard: float, until: float) -> None:
        self.state = state
        self.heard = heard
        self.until = until


class Person:
    """Everything that one name watches with."""

    def __init__(self, since: float) -> None:
        self.sessions: dict[str, Session] = {}
        self.state: Presence = "away"
        self.since = since
        self.seen = since


class Roster:
    """Viewing while a visible tab is heard, away while only others are, then gone.

    `now` is the monotonic clock, `unix` the wall clock, both in seconds.
    """

    def __init__(self, settings: Chat) -> None:
        self.changed = True
        self._settings = settings
        self._people: dict[str, Person] = {}

    def hear(self, beat: Heartbeat, now: float, unix: float) -> None:
        """Somebody is there, or a page of theirs has just been left."""
        person = self._people.get(beat.name)
        if person is None and (beat.left or len(self._people) >= self._settings.people):
            return
        if person is None:
            person = self._people[beat.name] = Person(unix)
            self.changed = True
        person.sessions.pop(TRUSTED, None)
        person.sessions.pop(beat.session, None)
        if not beat.left:
            until = now + self._settings.gone_after
            person.sessions[beat.session] = Session(beat.state, now, until)
            person.seen = unix
            if len(person.sessions) > SESSIONS:
                del person.sessions[next(iter(person.sessions))]
        self._judge(beat.name, person, now, unix)

    def trust(self, viewers: Iterable[Viewer], now: float, unix: float) -> None:
        """Take over what was said before a restart, until the next heartbeat is due."""
        for viewer in viewers:
            if viewer.name in self._people or viewer.seen < unix - self._settings.gone_after:
                continue
            person = self._people[viewer.name] = Person(viewer.since)
            person.state, person.seen = viewer.state, viewer.seen
            until = now + self._settings.heartbeat
            person.sessions[TRUSTED] = Session(viewer.state, now, until)
            self.changed = True

    def age(self, now: float, unix: float) -> None:
        """Let the silent become away, and then gone."""
        for name, person in list(self._people.items()):
            for key, session in list(person.sessions.items()):
                if session.until <= now:
                    del person.sessions[key]
            self._judge(name, person, now, unix)

    def viewers(self) -> list[Viewer]:
        """Everybody, those who came first first."""
        return [
            Viewer(name=name, state=person.state, since=person.since, seen=round(person.seen))
            for name, person in self._people.items()
        ]

    def _judge(self, name: str, person: Person, now: float, unix: float) -> None:
        if not person.sessions:
            del self._people[name]
            self.changed = True
            return
        silent = now - self._settings.away_after
        viewing = any(s.state == "viewing" and s.heard > silent for s in person.sessions.values())
        state: Presence = "viewing" if viewing else "away"
        if state != person.state:
            person.state, person.since = state, unix
            self.changed = True
