"""What a feed makes of the time between two viewers."""

import time
from typing import Any

from bus_camera import record
from media.cmaf import VIDEO_TRACK, fragment, video_init
from webrtc.feed import Feed
from webrtc.settings import Webrtc

HOUR = 3600 * 90_000


class Media:
    """Hands on what is played to it."""

    def __init__(self) -> None:
        self.hear: Any = None

    def subscribe(self, _topic: object, handler: Any, **_levels: str) -> Any:
        self.hear = handler
        return lambda: None


class Watcher:
    audio = False

    def __init__(self) -> None:
        self.pictures = 0
        self.ended: list[str] = []

    def video(self, _payloads: list[bytes], _timestamp: int, _key: bool) -> None:
        self.pictures += 1

    def sound(self, _packet: bytes, _timestamp: int) -> None:
        raise AssertionError("nobody asked for it")

    def restart(self) -> None: ...

    def end(self, reason: str) -> None:
        self.ended.append(reason)


def test_the_first_viewer_after_hours_is_let_stay() -> None:
    media: Any = Media()
    recording = record("320x240")
    picture = recording.pictures[0]
    assert picture.key
    feed = Feed("csi", media, Webrtc(linger=0))
    feed.take_init("video", video_init(recording.sps, recording.pps), "first")

    def play(tfdt: int, seq: int) -> None:
        data = fragment(VIDEO_TRACK, seq, tfdt, 3000, time.time(), picture.data, True)
        media.hear(data, {"camera": "csi", "track": "video", "session": "first"}, {})

    feed.acquire()
    play(0, 1)
    feed.release()
    feed.listen()
    feed.acquire()
    feed.join(watcher := Watcher())
    play(2 * HOUR, 2)
    assert watcher.pictures == 1 and not watcher.ended
