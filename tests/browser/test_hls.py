"""HLS in the page, by hls.js."""

import re
import time

from conftest import wait_until
from faults import filmed_after
from onlooker import Look, Onlooker
from whole import Station

from .conftest import Visit

LATENCY = re.compile(r"\bHLS\s+(\d+) ms\b")
LATE = 2.0
"""Seconds: a picture by HLS that is older is not live."""
APART = 0.15
"""Seconds that the badge may differ from the clock in the picture: one is read a moment later."""


def said(look: Look) -> float | None:
    """What the badge of the camera says, in seconds."""
    camera = look.cameras.get("csi")
    found = LATENCY.search(camera.text) if camera else None
    return int(found[1]) / 1000 if found else None


def plays(look: Look) -> bool:
    """Whether it plays by HLS, with a picture that is live."""
    if "csi" not in look.cameras:
        return False
    age = look.cameras["csi"].age
    return said(look) is not None and age is not None and age < LATE


def is_true(look: Look) -> bool:
    """Whether the badge says what the clock in the picture says."""
    badge, age = said(look), look.cameras["csi"].age
    return badge is not None and age is not None and abs(badge - age) < APART


def open_hls(visit: Visit) -> Onlooker:
    onlooker = visit("?player=hls")
    onlooker.wait(plays, "HLS plays")
    return onlooker


def test_hls_plays_and_its_badge_is_true_to_the_clock_in_the_picture(
    visit: Visit, station: Station
) -> None:
    onlooker = open_hls(visit)
    look = onlooker.wait(is_true, "the badge is true")
    assert look.cameras["csi"].kind == "video"
    asked = [url for url in onlooker.requests if "_camera/" in url]
    assert asked and not any("/audio" in url or "/aac" in url for url in asked), "nobody listens"
    here = f"http://127.0.0.1:{station.port}/"
    assert all(url.startswith((here, "blob:", f"ws{here[4:]}")) for url in onlooker.requests)
    assert onlooker.violations() == [] and onlooker.complaints == []


def test_the_library_is_loaded_only_for_hls(onlooker: Onlooker) -> None:
    assert not any("vendor/hls" in url for url in onlooker.requests)


def test_hls_brings_the_sound_when_it_is_wanted(visit: Visit) -> None:
    onlooker = visit("?player=hls")
    onlooker.wait(lambda look: "usb" in look.cameras and look.cameras["usb"].age, "usb plays")
    card = onlooker.page.get_by_role("article", name="Camera usb")
    card.get_by_role("button", name="Unmute").click()
    heard = "() => beeper.players.usb.element?.webkitAudioDecodedByteCount > 1000"
    onlooker.page.wait_for_function(heard)
    wait_until(lambda: any("usb_camera/audio/" in url for url in onlooker.requests), "Opus")
    assert not any("/aac" in url for url in onlooker.requests)
    onlooker.wait(lambda look: (look.cameras["usb"].age or 9) < LATE, "the picture goes on")


def test_hls_goes_on_when_the_encoder_is_killed(visit: Visit, station: Station) -> None:
    onlooker = open_hls(visit)
    before = onlooker.page.evaluate("() => beeper.players.csi.shown")
    station.kill("camera", "csi")
    onlooker.wait(filmed_after(time.time()), "the picture is back")
    onlooker.wait(plays, "HLS plays")
    assert onlooker.page.evaluate("() => beeper.players.csi.shown") > before
