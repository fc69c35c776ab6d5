import io

import av
import numpy as np
from conftest import Start, wait_until
from hls_playlist import Playlist
from media.clock import AUDIO_TIMESCALE as RATE
from web_station import Web

TEST = {"BEEPER_CAMERA__USB__DRIVER": "test", "BEEPER_CAMERA__USB__AUDIO": "test"}
SYNC = 0.08
"""Seconds that picture and sound may be apart."""


def beeps(data: bytes, began: float) -> list[float]:
    """Unix times at which the beeps of a piece of sound begin."""
    times, samples = [], []
    with av.open(io.BytesIO(data), "r") as container:
        for frame in container.decode(container.streams.audio[0]):
            piece = frame.to_ndarray()[0]
            samples.append(piece)
            times.append((frame.time or 0.0) + np.arange(len(piece)) / RATE)
    time = np.concatenate(times) - times[0][0]
    loud = time[np.abs(np.concatenate(samples)) > 0.05]
    return [float(began + rise) for rise in (loud[0], *loud[1:][np.diff(loud) > 0.2])]


def test_the_sound_of_a_camera_is_aac_while_somebody_listens(start: Start) -> None:
    start("camera", "usb", **TEST)
    start("aac")
    web = Web(start, hls_segment="1", hls_window="6", linger="0.5", hls_wait="6", lease="2")
    web.knows("usb")
    wait_until(lambda: b"aac.m3u8" in web.get("/usb_camera/index.m3u8").body, "AAC is offered")

    def listed() -> bool:
        return len(Playlist(web.get("/usb_camera/aac.m3u8").body.decode()).whole) > 3

    wait_until(listed, "some seconds of AAC")
    found = Playlist(web.get("/usb_camera/aac.m3u8").body.decode()).whole[1:]
    header = web.get(f"/usb_camera/{found[0].map}").body
    body = b"".join(web.get(f"/usb_camera/{one.uri}").body for one in found if one.uri)
    heard = beeps(header + body, found[0].began)
    assert len(heard) >= 2
    assert all(abs(beep - round(beep)) < SYNC for beep in heard), heard
    counts = 'beeper_fragments_total{camera="usb",kind="aac"}'
    assert web.count(counts) > 0

    heard_at_last: list[float] = []

    def at_rest() -> bool:
        heard_at_last.append(web.count(counts))
        return len(heard_at_last) > 30 and heard_at_last[-1] == heard_at_last[-30]

    wait_until(at_rest, "nothing is encoded for nobody")
