"""What the page says while a part of the station is missing, and that it heals without a reload."""

import os
import re
import signal
from collections.abc import Iterator

import psutil
import pytest
from onlooker import Camera, Look, Onlooker, whole
from whole import Station

SERVICES = {
    "camera-csi": ("camera", "csi"),
    "stills": ("stills",),
    "metadata": ("metadata",),
    "sensors": ("sensors",),
}


@pytest.fixture
def watched(onlooker: Onlooker) -> Iterator[Onlooker]:
    """A page that is whole before and after, and was never loaded again."""
    onlooker.page.evaluate("() => { globalThis.before = true; }")
    onlooker.forget()
    yield onlooker
    onlooker.wait(whole, "the page is whole again")
    assert onlooker.page.evaluate("() => globalThis.before"), "the page was loaded again"


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_died_is_named(watched: Onlooker, station: Station, service: str) -> None:
    station.kill("-m", *SERVICES[service])
    watched.wait(lambda _: service in watched.said(), f"the page names {service}")
    assert re.search(rf"{service}.*\bdied\b", watched.said())


def test_a_dead_web_service_is_said(watched: Onlooker, station: Station) -> None:
    station.kill("-m", "web")
    watched.wait(lambda _: "connection" in watched.said(), "the page says that it lost its station")


def test_a_dead_broker_is_said(watched: Onlooker, station: Station) -> None:
    station.kill("mosquitto")
    watched.wait(
        lambda _: "bus is not there" in watched.said(), "the page says that the bus is gone"
    )


def test_a_broker_that_stopped_in_place_is_said(watched: Onlooker, station: Station) -> None:
    pid = station.kill("mosquitto", number=signal.SIGSTOP)
    try:
        watched.wait(
            lambda look: "stopped answering" in str(look.banner) and look.connection != "live",
            "the page says that the bus does not answer",
        )
        watched.wait(lambda look: old(look.cameras["csi"]), "the picture is said to be old")
    finally:
        os.kill(pid, signal.SIGCONT)


def test_readings_that_stop_are_shown_as_stale(watched: Onlooker, station: Station) -> None:
    def stale(look: Look) -> list[str]:
        return [line for line in look.readings if re.search(r"stale, \d+ s old", line)]

    pid = station.kill("-m", "sensors", number=signal.SIGSTOP)
    try:
        look = watched.wait(lambda look: len(stale(look)) >= 17, "the sensors' readings are stale")
        assert not any(line.startswith(("Exposure", "Light")) for line in stale(look))
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_picture_that_no_longer_changes_is_said_to_be_frozen(
    watched: Onlooker, station: Station
) -> None:
    service = psutil.Process(station.pid("-m", "camera", "csi"))
    encoders = [child for child in service.children() if child.name() == "ffmpeg"]
    assert encoders
    for encoder in encoders:
        encoder.suspend()
    look = watched.wait(lambda look: old(look.cameras["csi"]), "the picture is said to be old")
    assert not old(look.cameras["usb"])
    # Nobody resumes it: the camera's own watch must replace it.
    watched.wait(lambda look: "last picture" not in look.cameras["csi"].text, "it moves again")


def test_a_camera_that_stopped_answers_again(watched: Onlooker, station: Station) -> None:
    pid = station.kill("-m", "camera", "usb", number=signal.SIGSTOP)
    try:
        watched.wait(lambda look: old(look.cameras["usb"]), "the picture is said to be old")
    finally:
        os.kill(pid, signal.SIGCONT)


def old(camera: Camera) -> bool:
    return re.search(r"last picture \d+ s old", camera.text) is not None
