"""What may befall a station while somebody watches, and when the picture is back."""

import signal
import time
from collections.abc import Callable

import psutil
from onlooker import Look
from whole import Station

RUNGS = ("webcodecs", "webrtc", "mse", "hls", "mjpeg")
RECENT = 4.0
"""Seconds: a picture this young is live on every rung; HLS is a second behind by nature."""
ON_ITS_WAY = 0.5
"""Seconds for which pictures may still arrive that had left."""


def moves(look: Look) -> bool:
    """Whether camera csi shows what happens now, and says so."""
    card = look.cameras.get("csi")
    if card is None or card.age is None or "last picture" in card.text:
        return False
    return card.age < RECENT


def filmed_after(struck: float) -> Callable[[Look], bool]:
    """Whether the picture is one that what was struck down cannot have delivered any more."""

    def is_new(look: Look) -> bool:
        age = look.cameras["csi"].age
        return moves(look) and age is not None and time.time() - age > struck + ON_ITS_WAY

    return is_new


def kill_encoder(station: Station) -> None:
    service = psutil.Process(station.pid("-m", "camera", "csi"))
    for encoder in service.children():
        encoder.send_signal(signal.SIGKILL)


def kill_camera(station: Station) -> None:
    station.kill("-m", "camera", "csi")


def kill_broker(station: Station) -> None:
    station.kill("mosquitto")


FAULTS: dict[str, Callable[[Station], None]] = {
    "encoder": kill_encoder,
    "camera": kill_camera,
    "broker": kill_broker,
}
