"""What crosses from a station to a hub, and what becomes of it when the link is cut."""

import contextlib
import itertools
import sqlite3
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from bridged import ANYBODY, Client, Place, StationBroker
from bus.messages import Climate
from bus.points import point
from bus.rights import BRIDGED, NOTIFICATION, OBSERVER
from bus.topics import CLIMATE, FRAGMENT, INIT, MEDIA, REQUESTS, TOPICS, AnyTopic, address, parse
from conftest import starter, wait_until
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

AIR = "beeper/sensors/bme680/all"
LEVELS = {"camera": "csi", "relay": "hub", "instance": "web", "track": "video", "session": "one"}
BEGAN = int(time.time()) - 3600
Readings = dict[tuple[str, int], float]


def reading(number: int) -> bytes:
    """One that is told from the others by its time and its gas resistance."""
    air = Climate(
        timestamp=BEGAN + number / 10,
        temperature=20,
        temperature_raw=21,
        humidity=50,
        pressure=1000,
        gas_resistance=number + 1,
        iaq=None,
        iaq_accuracy=0,
        iaq_class=None,
        co2_equivalent=None,
    )
    return air.model_dump_json().encode()


def measure(station: StationBroker, numbers: Iterable[int]) -> None:
    """Publish so many readings, as fast as the broker takes them."""
    with Client(station, "sensors") as sensors:
        for number in numbers:
            sensors.publish(AIR, reading(number))
        sensors.delivered()


def stored(hub: Client) -> Readings:
    """What a store has of everything that came: each point once, by station and time."""
    rows: Readings = {}
    for name, payload in hub.heard:
        if (found := parse(name)) and found[0] is CLIMATE:
            row = point(found[0], found[1], CLIMATE.model.model_validate_json(payload))
            rows[row.tags["station"], row.moment] = float(row.fields["gas_resistance"])
    return rows


def expected(count: int) -> Readings:
    """Readings 0 to `count` of both stations."""
    numbers = itertools.product(("barn", "coop"), range(count))
    return {(name, BEGAN * 1000 + number * 100): number + 1.0 for name, number in numbers}


def kept(file: Path) -> Readings:
    """The readings of the air in the database of `history`; none while that is being made."""
    database = sqlite3.connect(file)
    with contextlib.closing(database), contextlib.suppress(sqlite3.OperationalError):
        rows = database.execute(
            "SELECT json_extract(tags, '$.station'), moment, gas_resistance "
            "FROM sensors_bme680_all JOIN series ON series = series.id"
        )
        return {(station, moment): value for station, moment, value in rows}
    return {}


def test_no_reading_is_lost_and_none_is_stored_twice(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "state" / "history.sqlite"
    with starter(place.hub, tmp_path) as start:
        settings = {"BEEPER_HISTORY__HUB": "true", "BEEPER_HISTORY__FLUSH": "0.2"}
        start("history", **settings)
        for station in (place.barn, place.coop):
            measure(station, range(1))
        wait_until(lambda: len(kept(file)) == 2, "history listens")
        for station in (place.barn, place.coop):
            measure(station, range(1, 200))
        wait_until(lambda: len(kept(file)) == 400, "what was said before")
        place.barn.cable.cut()
        for station in (place.barn, place.coop):
            measure(station, range(200, 2200))
        wait_until(lambda: len(kept(file)) == 2400, "the other station is not disturbed")
        place.barn.cable.mend()
        # Bridges repeat what the hub's acknowledgement got lost of, and what is retained.
        wait_until(lambda: len(kept(file)) == 4400, "what was said meanwhile")
        assert kept(file) == expected(2200)


def test_what_waits_for_the_hub_outlives_the_stations_broker(place: Place) -> None:
    place.barn.cable.cut()
    measure(place.barn, range(500))
    place.barn.stop()
    place.barn.start()
    with Client(place.hub, OBSERVER, "stations/#") as hub:
        place.barn.cable.mend()
        wait_until(lambda: len(stored(hub)) == 500, "what was said before the restart")


def test_user_properties_cross(place: Place) -> None:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.UserProperty = [("made", "here")]
    with Client(place.hub, OBSERVER, "stations/#") as hub, Client(place.barn, "sensors") as sensors:
        sensors.publish(AIR, reading(1), properties=properties)
        wait_until(lambda: len(stored(hub)) == 1, "the reading")
        assert hub.properties[f"stations/barn/{AIR}"] == {"made": "here"}


def everything(station: str = "") -> set[str]:
    """The name of every topic of the contract."""
    topics: tuple[AnyTopic, ...] = (*TOPICS, *REQUESTS, *MEDIA)
    return {address(topic, station, **LEVELS) for topic in topics}


def test_only_readings_cross_and_only_outwards(place: Place) -> None:
    crosses = {address(topic, "barn", **LEVELS) for topic in BRIDGED}
    note = NOTIFICATION.format(station="barn")
    with (
        Client(place.hub, OBSERVER, "stations/#") as hub,
        Client(place.barn, OBSERVER, "beeper/#") as home,
        Client(place.barn, ANYBODY) as anybody,
        Client(place.hub, ANYBODY) as anybody_there,
    ):
        wait_until(lambda: note in {name for name, _ in hub.heard}, "barn is connected")
        for name in sorted(everything()):
            anybody.publish(name, b"x", False)
        anybody.delivered()
        anybody.publish(AIR, b"last")
        wait_until(lambda: (f"stations/barn/{AIR}", b"last") in hub.heard, "the last")
        wait_until(lambda: (AIR, b"last") in home.heard, "the last at home")
        assert {name for name, _ in hub.heard if "barn" in name} == crosses | {note}
        home.heard.clear()
        for name in sorted(everything("barn")):
            anybody_there.publish(name, b"inwards", False)
        anybody_there.delivered()
        # A round trip through the bridge: whatever had come inwards would be there by now.
        anybody.publish(AIR, b"later")
        wait_until(lambda: (f"stations/barn/{AIR}", b"later") in hub.heard, "the round trip")
        assert {payload for _, payload in home.heard} == {b"later"}


def test_a_station_writes_only_below_its_own_root(place: Place) -> None:
    allowed = {
        *(address(topic, "barn", **LEVELS) for topic in BRIDGED),
        *(address(topic, "barn", **LEVELS) for topic in (INIT, FRAGMENT)),
        NOTIFICATION.format(station="barn"),
    }
    names = set().union(*(everything(station) for station in ("", "barn", "coop")))
    names |= {NOTIFICATION.format(station=name) for name in ("barn", "coop")} | {"stations/x"}
    with Client(place.hub, "barn") as barn:
        sent = {name: barn.publish(name, b"x", False) for name in sorted(names)}
        written = {name for name, mid in sent.items() if barn.answer(mid) < 0x80}
    assert written == allowed


def test_each_station_says_whether_it_is_connected(place: Place) -> None:
    with Client(place.hub, OBSERVER, "stations/+/bridge") as hub:
        for name in ("barn", "coop"):
            note = (NOTIFICATION.format(station=name), b"1")
            wait_until(partial(hub.heard.__contains__, note), f"{name} is connected")
        place.barn.cable.cut()
        wait_until(lambda: ("stations/barn/bridge", b"0") in hub.heard, "barn is not")
        assert ("stations/coop/bridge", b"0") not in hub.heard
