"""The page of a hub: its stations, and how each of them is."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from bridged import Client, Place, StationBroker
from bus.messages import Climate, ServiceState, ServiceStatus
from conftest import DEADLINE, starter, wait_until
from shipped_nginx import ShippedNginx
from web_station import Web

INSTANCE = "sensors"


@pytest.fixture
def web(place: Place, tmp_path: Path) -> Iterator[Web]:
    """`web` on the hub."""
    with starter(place.hub, tmp_path) as start:
        yield Web(start, hub="true")


def live(station: StationBroker, ago: float = 0, state: ServiceState = "online") -> None:
    """A service of a station says how it is; `ago` seconds old."""
    now = time.time() - ago
    status = ServiceStatus(state=state, version="0", started_at=now, timestamp=now)
    say(station, f"beeper/service/{INSTANCE}/status", status.model_dump_json())


def say(station: StationBroker, topic: str, payload: str) -> None:
    with Client(station, INSTANCE) as client:
        client.publish(topic, payload.encode())
        client.delivered()


def listed(web: Web) -> dict[str, Any]:
    """Every station by its name."""
    answer = web.get("/api/stations").json()
    return {station["name"]: station for station in answer["stations"]}


def answers(web: Web, path: str) -> bool:
    """Whether there is something to say."""
    return web.get(path).status == 200


def states(web: Web) -> dict[str, str]:
    return {name: station["state"] for name, station in listed(web).items()}


def test_every_station_is_listed_with_its_health(place: Place, web: Web) -> None:
    live(place.barn)
    live(place.coop, state="lost")
    wait_until(lambda: states(web) == {"barn": "online", "coop": "degraded"}, "both are listed")
    assert listed(web)["coop"]["degraded"] == ["service sensors is lost"]
    page = web.get("/")
    assert page.status == 200
    assert b"static/stations.js" in page.body


def test_what_is_retained_keeps_no_station_alive(place: Place, web: Web) -> None:
    live(place.barn, ago=40)
    wait_until(lambda: states(web) == {"barn": "lost"}, "its status is old, and says online")
    assert listed(web)["barn"]["age_seconds"] > 39
    live(place.barn)
    wait_until(lambda: states(web) == {"barn": "online"}, "it is back")


def test_each_station_has_its_own_page(place: Place, web: Web) -> None:
    for station, degrees in ((place.barn, 11.0), (place.coop, 22.0)):
        live(station)
        air = Climate(
            timestamp=time.time(),
            temperature=degrees,
            temperature_raw=degrees,
            humidity=50,
            pressure=1000,
            gas_resistance=None,
            iaq=None,
            iaq_accuracy=0,
            iaq_class=None,
            co2_equivalent=None,
        )
        say(station, "beeper/sensors/bme680/all", air.model_dump_json())
    for name, degrees in (("barn", 11.0), ("coop", 22.0)):
        path = f"/stations/{name}/api/metrics"
        wait_until(partial(answers, web, path), f"the readings of {name}")
        assert web.get(path).json()["i2c_sensors"]["bme680"]["temperature"] == degrees
        assert listed(web)[name]["temperature"] == degrees
        moved = web.get(f"/stations/{name}")
        assert (moved.status, moved.headers["location"]) == (308, f"{name}/")
        assert b"static/main.js" in web.get(f"/stations/{name}/").body
        assert web.get(f"/stations/{name}/static/main.js").status == 200
        with web.socket(f"stations/{name}/events") as socket:
            assert f'"station": "{name}"' in str(socket.recv(timeout=DEADLINE))
        for page in (f"/stations/{name}/", f"/stations/{name}/api/me", "/", "/api/stations"):
            answer = web.get(page, "HEAD")
            assert (answer.status, answer.body) == (200, b"")
    assert web.get("/stations/nobody/").status == 404
    assert web.get("/stations/barn/api/stepper/status").status == 503


def upstream(*ports: int) -> str:
    """Inside of nginx's `upstream`, as docs/hub.md has it."""
    guide = Path("docs/hub.md").read_text(encoding="utf-8")
    text = guide.partition("upstream beeper_keeper {")[2].partition("}")[0].partition("\n")[2]
    for there, here in zip((8080, 8081), ports, strict=True):
        assert f":{there};" in text
        text = text.replace(f":{there};", f":{here};")
    return text


def test_nginx_spreads_people_over_replicas_that_agree(
    place: Place, web: Web, tmp_path: Path
) -> None:
    live(place.barn)
    with starter(place.hub, tmp_path) as start:
        start("chat")
        second = Web(start, "2", hub="true")
        one = f"server 127.0.0.1:{web.port};\n    keepalive 16;\n"
        both = upstream(web.port, second.port)
        nginx = ShippedNginx(tmp_path / "nginx", web.port, "", {one: both})
        try:
            spread(nginx, (web, second))
        finally:
            nginx.stop()


def spread(nginx: ShippedNginx, replicas: tuple[Web, Web]) -> None:
    """Twelve people see the same stations at both replicas, and at the one that is left."""

    def seen() -> list[str]:
        found = []
        for number in range(12):
            nginx.source = f"127.{number}.0.1"
            answer = nginx.get("api/stations")
            assert answer.status == 200
            found += [station["state"] for station in answer.json()["stations"]]
        return found

    wait_until(lambda: seen() == ["online"] * 12, "both know the station")
    assert all(f":{replica.port}\n" in nginx.log() for replica in replicas)
    replicas[0].service.kill()
    assert seen() == ["online"] * 12


def test_replicas_share_stations_and_conversation(place: Place, web: Web, tmp_path: Path) -> None:
    live(place.barn)
    with starter(place.hub, tmp_path) as start:
        start("chat")
        second = Web(start, "2", hub="true")
        wait_until(lambda: states(web) == states(second) == {"barn": "online"}, "both know it")
        # One conversation for the pages of all stations.
        path = "stations/barn/api/chat"
        wait_until(lambda: answers(second, f"/{path}/messages"), "the second has heard chat")
        sent = httpx.post(f"http://{web.host}/{path}/send", json={"message": "hello"})
        assert sent.status_code == 200

        def heard() -> list[str]:
            said = second.get("/api/chat/messages").json()["messages"]
            return [message["message"] for message in said]

        wait_until(lambda: heard() == ["hello"], "it is read at the other")
