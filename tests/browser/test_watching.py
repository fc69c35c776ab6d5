"""What the page shows of a station that is well."""

import itertools
import re

from conftest import wait_until
from onlooker import Camera, Look, Onlooker, whole
from whole import Station

from .conftest import PLAIN, Visit

MEASURED = re.compile(r"\b(\d+) ms\b")
AGE = re.compile(r"\b\d+ s$")
UNITS = {
    "Temperature": "°C",
    "Humidity": "%RH",
    "Pressure": "hPa",
    "Gas resistance": "kΩ",
    "Processor clock": "MHz",
    "Processor load": "%",
    "Memory": "%",
    "Disk": "%",
    "Exposure": "ms",
    "Light": "lx",
    "Colour temperature": "K",
    "Sensor temperature": "°C",
    "Level": "dB",
    "Peak": "dBFS",
}
JUDGED = ("Temperature", "Humidity", "Processor load", "Memory", "Disk", "Level")
"""Readings that have limits, so that each says how good it is."""
NO_SOCKETS = """
const Socket = globalThis.WebSocket;
globalThis.WebSocket = class extends Socket {
  constructor(url) { super(url.replace("/live/", "/nowhere/")); }
};
"""
HIDE = """hidden => {
  Object.defineProperty(document, "visibilityState", {
    configurable: true, get: () => hidden ? "hidden" : "visible",
  });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def plays(look: Look, label: str) -> bool:
    """Whether both cameras say that they play so, and how late their pictures are."""
    badges = [camera.text for camera in look.cameras.values()]
    return len(badges) == 2 and all(re.search(rf"\b{label}\s+\d+ ms\b", badge) for badge in badges)


def reading(look: Look, label: str) -> str:
    return next(line for line in look.readings if line.startswith(label))


def test_both_cameras_play_on_webcodecs_and_say_how_late_they_are(onlooker: Onlooker) -> None:
    def agrees(camera: Camera) -> bool:
        # The page measures from the capture, over a second; this test from the drawing, just now.
        said = MEASURED.search(camera.text)
        return bool(said and camera.age and 0 < int(said[1]) / 1000 < camera.age + 0.1)

    onlooker.wait(
        lambda look: plays(look, "WebCodecs") and all(map(agrees, look.cameras.values())),
        "both play with WebCodecs and are as late as they say",
    )
    look = onlooker.look()
    assert {camera.kind for camera in look.cameras.values()} == {"canvas"}


NEW_CLOCK = """last => {
  const { element } = beeper.players.csi;
  const drawn = drawnAt(element, element.width);
  return drawn !== last && drawn;
}"""
"""The clock in the picture as soon as it reads something new: a frame counts as shown earlier."""


def test_the_clock_in_the_picture_goes_on(onlooker: Onlooker) -> None:
    drawn = [0.0]
    for _ in range(5):
        new = onlooker.page.wait_for_function(NEW_CLOCK, arg=drawn[-1])
        drawn.append(new.json_value())
    assert all(later > earlier for earlier, later in itertools.pairwise(drawn))


def test_readings_have_units_ages_and_say_how_good_they_are(onlooker: Onlooker) -> None:
    look = onlooker.look()
    for label, unit in UNITS.items():
        assert re.search(rf"\d {re.escape(unit)}( |$)", reading(look, label)), label
    for label in JUDGED:
        assert re.search(r"\b(good|warning|bad)\b", reading(look, label)), label
    assert all(AGE.search(line) for line in look.readings)


def test_an_age_grows_until_the_next_reading(onlooker: Onlooker) -> None:
    def age(look: Look) -> int:
        found = AGE.search(reading(look, "Kernel"))
        assert found
        return int(found[0].split()[0])

    onlooker.wait(lambda look: age(look) == 0, "a new reading comes")
    onlooker.wait(lambda look: age(look) > 0, "it grows older")
    onlooker.wait(lambda look: age(look) == 0, "the next one comes")


def test_what_is_simulated_is_marked_and_what_is_real_is_not(onlooker: Onlooker) -> None:
    for name in ("Camera csi", "Camera usb"):
        card = onlooker.page.get_by_role("article", name=name)
        assert card.get_by_text("simulated").is_visible()
    for title, simulated in (("Environment", 1), ("Camera sensor", 2), ("Sound", 1)):
        marks = onlooker.page.get_by_role("region", name=title).get_by_text("simulated")
        assert marks.count() == simulated and marks.first.is_visible()
    real = onlooker.page.get_by_role("region", name="System health").get_by_text("simulated")
    assert not any(mark.is_visible() for mark in real.all())


def test_nothing_goes_wrong_and_nothing_foreign_is_asked_for(
    onlooker: Onlooker, station: Station
) -> None:
    onlooker.page.get_by_role("button", name="Unmute").click()
    onlooker.page.wait_for_function("() => beeper.players.usb.soundLatencyMs !== null")
    onlooker.wait(whole, "the page is whole with sound too")
    here = (f"http://127.0.0.1:{station.port}/", f"ws://127.0.0.1:{station.port}/")
    assert len(onlooker.requests) > 10
    assert [url for url in onlooker.requests if not url.startswith((*here, "blob:"))] == []
    assert onlooker.complaints == []
    assert onlooker.violations() == []


def test_without_a_secure_context_webrtc_plays_and_says_why(visit: Visit) -> None:
    onlooker = visit(host=PLAIN)
    look = onlooker.wait(lambda look: plays(look, "WebRTC") and whole(look), "both play by WebRTC")
    for camera in look.cameras.values():
        assert camera.kind == "video" and "WebCodecs needs https or localhost" in camera.text
    assert onlooker.complaints == []


def test_a_browser_that_has_neither_gets_a_media_element(visit: Visit) -> None:
    onlooker = visit(host=PLAIN, script="delete globalThis.RTCPeerConnection")
    look = onlooker.wait(lambda look: plays(look, "MSE") and whole(look), "both play with MSE")
    assert "this browser has no WebRTC" in look.cameras["csi"].text


def test_a_browser_without_webcodecs_says_so(visit: Visit) -> None:
    onlooker = visit(script="delete globalThis.VideoDecoder")
    look = onlooker.wait(lambda look: plays(look, "WebRTC") and whole(look), "both play by WebRTC")
    assert "this browser has no WebCodecs" in look.cameras["csi"].text


def test_the_viewer_pins_a_player_and_it_stays_so(visit: Visit) -> None:
    onlooker = visit()
    onlooker.wait(whole, "the page is whole")
    card = onlooker.page.get_by_role("article", name="Camera csi")
    card.get_by_label("Player").select_option("MJPEG")

    def jpegs(look: Look) -> bool:
        camera = look.cameras.get("csi")
        said = r"MJPEG\s+\d+ ms(.|\n)*chosen by you"
        return camera is not None and camera.kind == "img" and bool(re.search(said, camera.text))

    onlooker.wait(lambda look: jpegs(look) and whole(look), "MJPEG plays")
    onlooker.page.reload()
    look = onlooker.wait(lambda look: jpegs(look) and whole(look), "MJPEG plays again")
    assert look.cameras["usb"].kind == "canvas", "the other camera is not pinned"


def test_where_h264_cannot_come_pictures_do(visit: Visit) -> None:
    onlooker = visit(script=NO_SOCKETS + "delete globalThis.RTCPeerConnection;")
    onlooker.page.route("**/*_camera/**", lambda route: route.abort())

    def jpegs(look: Look) -> bool:
        return {camera.kind for camera in look.cameras.values()} == {"img"}

    look = onlooker.wait(lambda look: jpegs(look) and whole(look), "both play with MJPEG")
    assert all("WebSocket" in camera.text for camera in look.cameras.values())


def test_a_chicken_despairs_where_nothing_works_and_says_why(visit: Visit) -> None:
    onlooker = visit("?player=webcodecs", host=PLAIN)
    for name in ("Camera csi", "Camera usb"):
        card = onlooker.page.get_by_role("article", name=name)
        card.get_by_role("img", name="despairing chicken").wait_for()
        card.get_by_text("WebCodecs needs https or localhost").first.wait_for()


def test_a_hidden_page_pulls_no_video(onlooker: Onlooker, station: Station) -> None:
    def viewers() -> int:
        counts = station.text("metrics")
        return int(sum(map(float, re.findall(r"^beeper_viewers{.*} (\S+)$", counts, re.M))))

    wait_until(lambda: viewers() == 2, "both cameras are watched")
    onlooker.page.evaluate(HIDE, True)
    wait_until(lambda: viewers() == 0, "nobody watches")
    onlooker.page.evaluate(HIDE, False)
    wait_until(lambda: viewers() == 2, "both cameras are watched again")
    onlooker.wait(whole, "the pictures move again")
