"""GET /api/history, of a real history service."""

import time

import pytest
from bus.messages import AudioLevel
from bus.topics import AUDIO
from bus_camera import Camera
from conftest import Start, wait_until
from web_station import Web


def hum(camera: Camera, level: float, timestamp: float) -> None:
    message = AudioLevel(timestamp=timestamp, level_db=level, level_dbfs=-50, peak_dbfs=-40)
    camera.publish(AUDIO, message)


@pytest.fixture
def web(camera: Camera, start: Start) -> Web:
    start("history")
    web = Web(start)
    wait_until(lambda: "service/web/status" in topics(web), "history hears")
    return web


def topics(web: Web) -> set[str]:
    answer = web.get("/api/history/metrics")
    if answer.status != 200:
        return set()
    return {source["topic"] for source in answer.json()["sources"]}


def test_the_last_hour_and_any_other_span(camera: Camera, web: Web) -> None:
    now = time.time()
    for i in range(10):
        hum(camera, 50 + i, now - 100 + i)
    wait_until(lambda: "audio/level" in topics(web), "levels are kept")
    metric = "metric=audio/level:level_db&metric=audio/level:peak_dbfs"
    asked = f"/api/history?{metric}&range=hour&points=4000"

    wait_until(lambda: len(web.get(asked).json()["series"][0]["mean"]) >= 10, "all of them")
    answer = web.get(asked)
    assert answer.headers["Cache-Control"] == "no-store"
    level, peak = answer.json()["series"]
    assert level["metric"] == "audio/level:level_db" and peak["mean"][0] == -40
    assert level["min"] == level["mean"] == level["max"] == [50 + i for i in range(10)]
    part = web.get(f"/api/history?{metric}&from={now - 98.5}&to={now - 95.5}&points=2").json()
    assert min(part["series"][0]["min"]) == 52 and max(part["series"][0]["max"]) == 54
    assert len(part["series"][0]["mean"]) <= 2
    assert part["from"] == now - 98.5


REFUSED = (
    ("metric=audio/level:none", 404),
    ("metric=../../etc:passwd", 422),
    ("metric=audio/level", 422),
    ("", 422),
    ("metric=audio/level:level_db&range=year", 422),
    ("metric=audio/level:level_db&from=2&to=1", 400),
    ("metric=audio/level:level_db&from=nan", 422),
    ("metric=audio/level:level_db&from=1e300", 422),
    ("metric=audio/level:level_db&points=0", 422),
    ("&".join(["metric=audio/level:level_db"] * 9), 422),
)


def test_what_makes_no_sense_is_refused(web: Web) -> None:
    answers = [(query, web.get(f"/api/history?{query}").status) for query, _ in REFUSED]
    assert answers == list(REFUSED)


def test_without_the_service_it_says_so(camera: Camera, start: Start) -> None:
    web = Web(start)
    answer = web.get("/api/history?metric=audio/level:level_db")
    assert answer.status == 503
    assert answer.json()["detail"] == "the history service is not there"
