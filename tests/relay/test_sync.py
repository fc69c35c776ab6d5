"""Picture and sound keep the times that they had on the bus."""

from itertools import pairwise
from math import inf

import av
from camera_ear import Ear
from conftest import free_port, wait_until
from media.clock import AUDIO_TIMESCALE, VIDEO_TIMESCALE
from media.h264 import slices, split_annex_b, split_length_prefixed
from relay_peers import Relays

MOST = 0.08
"""Seconds that picture and sound may be apart."""


def listen(url: str, count: int) -> dict[str, dict[bytes, float]]:
    """Take so many video packets: track → content → time in seconds."""
    options = {
        "rtsp_flags": "listen",
        "rtsp_transport": "tcp",
        "analyzeduration": "500000",
        "listen_timeout": "30",
    }
    found: dict[str, dict[bytes, float]] = {"video": {}, "audio": {}}
    with av.open(url, options=options) as container:
        for packet in container.demux():
            if packet.pts is None or packet.time_base is None:
                continue
            data, kind = bytes(packet), packet.stream.type
            name = slices(split_annex_b(data))[0] if kind == "video" else data
            found[kind][name] = float(packet.pts * packet.time_base)
            if len(found["video"]) >= count:
                break
    return found


def shifts(received: dict[bytes, float], sent: dict[bytes, float]) -> list[float]:
    """By how much the target's times differ from those of the bus."""
    return [at - sent[name] for name, at in received.items() if name in sent]


def recurs_after(times: list[float]) -> float:
    """The least seconds until the same sound comes again; silence recurs at once.

    The camera beeps each second, and beeps can be the same to the byte.
    """
    return min((b - a for a, b in pairwise(times)), default=inf)


def test_picture_and_sound_stay_together(relays: Relays, ear: Ear) -> None:
    url = f"rtsp://127.0.0.1:{free_port()}/csi_camera"
    relays("one", url)
    received = listen(url, 120)
    wait_until(lambda: len(ear.video) > 120, "the same on the bus")
    pictures = {
        slices(split_length_prefixed(one.data))[0]: one.header.tfdt / VIDEO_TIMESCALE
        for one in list(ear.video)
    }
    sounds: dict[bytes, list[float]] = {}
    for one in list(ear.sound):
        sounds.setdefault(one.data, []).append(one.header.tfdt / AUDIO_TIMESCALE)
    of_pictures = shifts(received["video"], pictures)
    assert len(of_pictures) > 100
    assert max(of_pictures) - min(of_pictures) < MOST
    apart = [
        (at - sounds[data][0] - of_pictures[0] + 0.5) % 1 - 0.5
        for data, at in received["audio"].items()
        if data in sounds and recurs_after(sounds[data]) > 2 * MOST
    ]
    assert len(apart) > 5
    assert max(map(abs, apart)) < MOST
