"""One camera on its way from the bus to the viewers."""

import json
from collections import Counter
from collections.abc import Callable
from time import monotonic

from bus.each import tell_each
from bus.media import MediaConnection
from bus.topics import FRAGMENT, INIT, Levels
from media.arrival import Arrivals, GroupOfPictures
from media.cmaf import CmafError, FragmentHeader

from .broadcast import Broadcast
from .ledger import Ledger
from .settings import Web
from .track import Track, read_track
from .viewer import MAX_BYTES, MAX_FRAMES, Viewer
from .wire import Wire, binary_frame, text_frame


class Channel:
    """Hears a camera's fragments only while somebody watches, or did a moment ago.

    Each fragment is judged and framed once, and the same bytes go to every viewer.
    """

    def __init__(self, name: str, media: MediaConnection, settings: Web) -> None:
        self.name = name
        self.tracks: dict[str, Track] = {}
        self.viewers: dict[Viewer, None] = {}
        self.broadcast = Broadcast(settings)
        self.counts: Counter[str] = Counter()
        self.last_frame = 0.0
        self.lateness = 0.0
        self._media = media
        self._settings = settings
        self._ledger = Ledger(settings.behind)
        self._arrivals = Arrivals(settings.behind)
        self._group = GroupOfPictures(MAX_BYTES, MAX_FRAMES)
        self._interrupted = True
        self._until: dict[str, float] = {}
        self._heard: dict[str, Callable[[], None]] = {}
        self._state = text_frame(state_message("waiting", f"camera {name}: no frame yet"))
        self._reason: str | None = ""

    @property
    def wanted(self) -> set[str]:
        """The tracks whose fragments are needed at this moment; none while nobody watches."""
        now = monotonic()
        wanted = {track for track, until in self._until.items() if now < until}
        if self.viewers or wanted:
            wanted.add("video")
        if any(viewer.audio for viewer in self.viewers):
            wanted.add("audio")
        return wanted

    def warm(self, seconds: float, track: str = "video") -> None:
        """Hear a track for a while, since somebody is likely to watch."""
        self._until[track] = max(self._until.get(track, 0.0), monotonic() + seconds)
        self.listen()

    def viewer(self, wire: Wire) -> Viewer:
        """A viewer of this camera, not joined yet."""
        return Viewer(wire, self._ledger, self._settings.unanswered)

    def join(self, viewer: Viewer) -> None:
        """Begin to send: the header, the state, and the group of pictures as far as it has come."""
        self.viewers[viewer] = None
        viewer.on_audio = self._turn_audio
        if video := self.tracks.get("video"):
            viewer.tell(video.frames)
        viewer.tell(self._state)
        if group := self._group.frames:
            viewer.join(group, len(group))
        self.listen()

    def leave(self, viewer: Viewer) -> None:
        """Send no more, and let the camera go when nobody else comes within the linger time."""
        del self.viewers[viewer]
        self.counts["frames_sent"] += viewer.sent_frames
        self.counts["frames_dropped"] += viewer.dropped_frames
        self.counts["malformed"] += viewer.malformed
        self.warm(self._settings.linger)

    def listen(self) -> None:
        """Hear exactly the tracks that are wanted at this moment."""
        wanted = self.wanted
        for track in wanted - self._heard.keys():
            self._heard[track] = self._media.subscribe(
                FRAGMENT, self._receive, camera=self.name, track=track
            )
        for track in self._heard.keys() - wanted:
            self._heard.pop(track)()
            self.broadcast.stop(track)
            if track == "video":
                self._interrupt()

    def say(self, reason: str | None) -> None:
        """Tell the viewers why there is nothing to see, or with None that it streams."""
        if reason == self._reason:
            return
        self._reason = reason
        state = "waiting" if reason is not None else "streaming"
        self._state = text_frame(state_message(state, reason or ""))
        self._each(lambda viewer: viewer.tell(self._state))

    def take_init(self, track: str, init: bytes, session: str) -> None:
        """A header has come; a new one begins a new session for everybody."""
        old = self.tracks.get(track)
        if old and old.session == session and old.init == init:
            return
        if not init:
            self.tracks.pop(track, None)
            return
        try:
            new = self.tracks[track] = read_track(track, init, session)
        except CmafError as error:
            self._media.drop(INIT, str(error))
            return
        self.broadcast.begin(track, init, session, new.about)
        if track == "video":
            self._arrivals.reset()
            self._interrupt()
        if track == "video":
            self._each(lambda viewer: viewer.tell(new.frames))
        elif track == "audio":
            self._each(lambda viewer: viewer.tell(new.frames), audio=True)

    def _receive(self, data: bytes, levels: Levels, _properties: dict[str, str]) -> None:
        track = levels["track"]
        announced = self.tracks.get(track)
        if announced is None or announced.session != levels["session"]:
            self.counts["fragments_of_no_session"] += 1
            return
        try:
            header = FragmentHeader.parse(data)
        except CmafError as error:
            self._media.drop(FRAGMENT, str(error))
            return
        self.counts[f"fragments_{track}"] += 1
        self.broadcast.take(track, header, data)
        if track == "video":
            self._video(data, header)
        elif track == "audio":
            frame = binary_frame(data)
            self._each(lambda viewer: viewer.offer_audio(frame), audio=True)

    def _video(self, data: bytes, header: FragmentHeader) -> None:
        now = monotonic()
        verdict = self._arrivals.observe(header, now)
        self.lateness = verdict.lateness
        if not verdict:
            self.counts[f"fragments_{verdict.reason}"] += 1
            self._interrupt()
            return
        self._interrupted = False
        self.last_frame = now
        self.say(None)
        frame = binary_frame(data)
        number = self._ledger.enter(header.seq, now)
        self._group.add(frame, header.key)
        self._each(lambda viewer: viewer.offer(frame, header.key, number, now))

    def _interrupt(self) -> None:
        """What comes next does not continue what was sent."""
        if self._interrupted:
            return
        self._interrupted = True
        self._group.clear()
        self._each(Viewer.restart)

    def _each(self, tell: Callable[[Viewer], None], audio: bool = False) -> None:
        """Tell every viewer, or those who hear the sound."""
        viewers = [one for one in self.viewers if one.audio] if audio else self.viewers
        tell_each(viewers, tell, Viewer.fail)

    def _turn_audio(self, viewer: Viewer) -> None:
        if viewer.audio and (audio := self.tracks.get("audio")):
            viewer.tell(audio.frames)
        # Whoever turns it on and off again and again costs the broker no subscription each time.
        self.warm(self._settings.linger, "audio")


def state_message(state: str, reason: str) -> str:
    """The text that says whether pictures come, and why not."""
    return json.dumps({"type": "state", "state": state, "reason": reason})
