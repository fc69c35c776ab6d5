"""Rubbish on every topic while somebody watches: nothing stops, nothing runs, all is counted."""

import json
import re
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import paho.mqtt.client as paho
import pytest
from bus.connection import user_properties
from bus.topics import FRAGMENT, INIT, REQUESTS, TOPICS, address
from conftest import wait_until
from onlooker import Look, Onlooker, whole
from paho.mqtt.enums import CallbackAPIVersion
from web.readings import SHOWN
from whole import Station

from .conftest import Visit
from .test_people import NASTY

MARKUP = '<img src=x onerror="globalThis.pwned=1"><script>globalThis.pwned=1</script>'
LEVELS = {"camera": "csi", "relay": "intruder", "instance": "intruder"}
RUBBISH: tuple[bytes, ...] = (
    b"\x00\xff\xfe",
    b"{",
    b"null",
    b"[]",
    b"{}",
    b'{"timestamp": "now"}',
    b'{"timestamp": NaN}',
    b'{"timestamp": 1e999}',
    b"[" * 100_000,
    b'{"timestamp": 1, "' + b"x" * 300_000 + b'": 1}',
)
BINARY = (b"\x00", b"ftyp", b"\x00\x00\x00\x08ftyp", b"\xff" * 4096, b"\x00\x00\x00\x10prft" * 100)


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    """One of its own: what is retained on it stays."""
    station = Station(
        tmp_path_factory.mktemp("station"),
        BEEPER_SENSORS__INTERVAL="1",
        BEEPER_MQTT__STATUS_INTERVAL="1",
        BEEPER_CAMERA__CSI__STATUS_INTERVAL="1",
    )
    station.wait_ready()
    station.let_in("intruder")
    yield station
    station.close()


class Intruder:
    """Publishes what it likes, as nobody's rights allow, and knows when the broker has it."""

    def __init__(self, station: Station) -> None:
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.username_pw_set("intruder", station.password("intruder"))
        wait_until(lambda: self._connect(station.mqtt_port), "the intruder is let in")
        self._client.loop_start()

    def _connect(self, port: int) -> bool:
        return self._client.connect("127.0.0.1", port) == paho.MQTT_ERR_SUCCESS

    def publish(self, topic: str, payload: bytes, retain: bool, **properties: str) -> None:
        about = user_properties(properties)
        self._client.publish(topic, payload, 1, retain, about).wait_for_publish(10)

    def say(self, topic: str, **message: Any) -> None:
        self.publish(topic, json.dumps({"timestamp": time.time()} | message).encode(), True)

    def session(self, camera: str) -> str:
        """The session of a camera's pictures, from its retained header."""
        found: list[str] = []

        def take(_client: object, _userdata: object, message: paho.MQTTMessage) -> None:
            found.extend(value for key, value in told(message) if key == "session")

        self._client.on_message = take
        self._client.subscribe(address(INIT, camera=camera, track="video"), 1)
        wait_until(lambda: found, f"the header of {camera} is there")
        return found[-1]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def intruder(station: Station) -> Iterator[Intruder]:
    intruder = Intruder(station)
    yield intruder
    intruder.close()


def told(message: paho.MQTTMessage) -> list[tuple[str, str]]:
    return list(getattr(message.properties, "UserProperty", []))


def addresses() -> list[str]:
    declared = [address(topic, **LEVELS) for topic in TOPICS]
    declared += [address(request, **LEVELS) for request in REQUESTS]
    strange = ["beeper", "beeper/", "beeper/camera/../status", f"beeper/camera/{MARKUP}/status"]
    return declared + [name.replace("</", "<") for name in strange]


def media() -> list[str]:
    names = [address(INIT, camera="csi", track=track) for track in ("video", "audio", "nonsense")]
    return [*names, "media/csi/video/fragment/nonsense", "media/csi/jpeg", "media/intruder/jpeg"]


def counted(station: Station, topic: str) -> float:
    """What web has dropped of a topic."""
    found = re.search(
        rf'^beeper_invalid_messages_total{{topic="{re.escape(topic)}"}} (\S+)$',
        station.text("metrics"),
        re.M,
    )
    return float(found[1]) if found else 0


def all_counted(station: Station, path: str, times: int) -> bool:
    """Whether web has counted each piece of rubbish as often as it was sent."""
    return counted(station, path) >= times * len(RUBBISH)


def pids(station: Station) -> set[int]:
    return {process.pid for process in station.family() if process.name() != "ffmpeg"}


def test_rubbish_on_every_topic_stops_nothing_and_is_counted(
    onlooker: Onlooker, station: Station, intruder: Intruder
) -> None:
    before = pids(station)
    shown = {address(topic, **LEVELS): topic.path for topic in SHOWN}
    for times, retain in enumerate((False, True), 1):
        for name in addresses():
            for payload in RUBBISH:
                intruder.publish(name, payload, retain)
            if path := shown.get(name):
                # The broker keeps 8 MB for a service that is busy, and this is 24 in all.
                counts = partial(all_counted, station, path, times)
                wait_until(counts, f"{path} is counted")
        for name in media():
            for payload in BINARY:
                intruder.publish(name, payload, retain)
                intruder.publish(name, payload, retain, session="nonsense")
    wait_until(lambda: counted(station, "media/{camera}/{track}/init") > 0, "headers are counted")
    onlooker.wait(whole, "the page is whole")
    assert onlooker.page.evaluate("() => globalThis.pwned") is None
    assert pids(station) == before, "a process has died"
    assert "Traceback" not in station.log.read_text(errors="replace")


def test_a_web_service_that_starts_into_the_rubbish_shows_everything(
    onlooker: Onlooker, station: Station
) -> None:
    station.kill("-m", "web")
    onlooker.wait(lambda look: look.connection != "live", "the web service is gone")
    onlooker.wait(whole, "the page is whole again")


def test_rubbish_among_the_fragments_of_a_session_is_dropped(
    visit: Visit, station: Station, intruder: Intruder
) -> None:
    path = FRAGMENT.path
    onlooker = visit()
    onlooker.page.wait_for_function("() => globalThis.beeper?.players.usb?.shown")
    session = intruder.session("usb")
    before = counted(station, path)
    for payload in BINARY:
        name = address(FRAGMENT, camera="usb", track="video", session=session)
        intruder.publish(name, payload, False)
    wait_until(lambda: counted(station, path) >= before + len(BINARY), "they are counted")
    seen = onlooker.page.evaluate("() => beeper.players.usb.shown")
    onlooker.page.wait_for_function("n => beeper.players.usb.shown > n + 10", arg=seen)
    assert onlooker.page.evaluate("() => beeper.players.usb.stalls") == 0


def test_who_steers_is_text_and_never_runs(onlooker: Onlooker, intruder: Intruder) -> None:
    card = onlooker.page.get_by_role("region", name="Motor")
    for text in (*NASTY, None):
        lease = {"holder": text and text[:64], "until": text and time.time() + 100}
        intruder.publish("beeper/stepper/lease", json.dumps(lease).encode(), True)
        card.get_by_text(text[:64] if text else "nobody", exact=True).wait_for()
        assert card.locator("img, svg, script, iframe, style, base, meta").count() == 0
    assert onlooker.page.evaluate("() => globalThis.pwned") is None
    assert onlooker.violations() == []


def test_markup_is_shown_as_text_and_never_runs(
    onlooker: Onlooker, station: Station, intruder: Intruder
) -> None:
    intruder.say(
        "beeper/service/intruder/status",
        state="online",
        version=MARKUP[:64],
        started_at=1,
        problems={MARKUP: MARKUP},
    )
    intruder.say(
        "beeper/camera/intruder/status",
        state="backoff",
        driver=MARKUP[:32],
        video_codec=MARKUP,
        error=MARKUP,
        warning=MARKUP,
    )
    intruder.say(
        "beeper/relay/intruder/status", camera="csi", target=MARKUP, state="backoff", error=MARKUP
    )
    intruder.say("beeper/camera/intruder/metadata", Lux=1, Junk=MARKUP, **{MARKUP: MARKUP})
    intruder.say(
        "beeper/sensors/bme680/all",
        temperature=20,
        humidity=50,
        pressure=1000,
        temperature_raw=20,
        iaq_class=MARKUP,
    )

    def shown(look: Look) -> bool:
        service = look.services.get("intruder", "")
        card = look.cameras.get("intruder")
        relay = look.cameras["csi"].text
        everywhere = (service, str(look.banner), str(card), relay)
        return all(MARKUP in place for place in everywhere)

    look = onlooker.wait(shown, "the markup stands there as text")
    assert onlooker.page.evaluate("() => globalThis.pwned") is None
    assert onlooker.page.locator("img[src=x]").count() == 0
    assert onlooker.page.evaluate("() => document.documentElement.scrollWidth") <= 1280
    assert onlooker.violations() == []
    for name in ("csi", "usb"):
        age = look.cameras[name].age
        assert age is not None and age < 1


def test_readings_from_the_far_future_and_past_do_not_confuse_the_page(
    visit: Visit, intruder: Intruder
) -> None:
    onlooker = visit()
    onlooker.page.wait_for_function("() => globalThis.beeper?.players.csi?.shown")
    for moment in (1e-9, 1, 1e15, 1e300):
        intruder.say(
            "beeper/audio/level", timestamp=moment, level_db=50, level_dbfs=-50, peak_dbfs=-40
        )
        intruder.say("beeper/camera/csi/metadata", timestamp=moment, Lux=1e300)
    seen = onlooker.page.evaluate("() => beeper.players.csi.shown")
    onlooker.page.wait_for_function("n => beeper.players.csi.shown > n + 30", arg=seen)
    onlooker.wait(
        lambda look: any(re.match(r"Level .*\b[01] s$", line) for line in look.readings),
        "the true readings are shown again",
    )
    assert onlooker.complaints == []
