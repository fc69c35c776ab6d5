import json
import re
import time
from functools import partial
from typing import Any

import paho.mqtt.publish
import pytest
from bus.messages import Climate, CpuTemperature, SystemStats
from bus.topics import CLIMATE, CPU, SYSTEM, TOPICS, address
from bus_camera import Camera
from conftest import Broker, Start, wait_until
from paho.mqtt.enums import MQTTProtocolVersion
from web.readings import SHOWN
from web_station import Web, frames

ROUTES = [
    ("/", 200),
    ("/static/style.css", 200),
    ("/static/nothing", 404),
    ("/static/../settings.py", 404),
    ("/static/%2e%2e/settings.py", 404),
    ("/api/cameras", 200),
    ("/api/stats", 200),
    ("/api/system/metrics", 200),
    ("/api/metrics", 200),
    ("/api/metrics?camera=nothing", 404),
    ("/camera/status", 200),
    ("/camera/status?camera=csi", 200),
    ("/camera/status?camera=nothing", 404),
    ("/camera/stream.mjpg?camera=nothing", 404),
    ("/camera/snapshot.jpg?camera=nothing", 404),
    ("/camera/snapshot.jpg", 503),
    ("/camera/snapshot", 503),
    ("/camera/stream.mjpg", 503),
    ("/healthz", 200),
    ("/readyz", 200),
    ("/metrics", 200),
    ("/docs", 200),
    ("/openapi.json", 200),
    ("/csi_camera/index.m3u8", 200),
    ("/nothing_camera/index.m3u8", 404),
    ("/live/csi", 404),
    ("/events", 404),
    ("/nothing", 404),
]
RUBBISH = (b"\xff\xfe", b"{}", b"[" * 3000, b'{"timestamp": 1e999}', b"x" * 300_000)
EMPTY = ["/api/stats", "/api/system/metrics", "/api/metrics", "/camera/status", "/readyz"]


def read_all(camera: Camera) -> None:
    """Publish one reading of the machine and of the air."""
    now = time.time()
    camera.publish(CPU, CpuTemperature(timestamp=now - 3, cpu_temp=51.5))
    stats: dict[str, Any] = {"cpu_percent": 12.5, "memory_percent": 25, "disk_percent": 40}
    stats |= {"memory_used_bytes": 1 << 30, "memory_total_bytes": 4 << 30, "load_1m": 0.5}
    stats |= {"net_rx_bytes": 1, "net_tx_bytes": 2, "os": "Debian", "kernel": "6.12"}
    camera.publish(SYSTEM, SystemStats(timestamp=now, uptime_seconds=93_780, **stats))
    air = Climate(timestamp=now, temperature=21, temperature_raw=24, humidity=50, pressure=1000)
    camera.publish(CLIMATE, air)


def test_every_route_answers_with_its_code_and_the_security_headers(
    camera: Camera, start: Start
) -> None:
    camera.say()
    camera.film()
    read_all(camera)
    web = Web(start, jpeg_wait="0.2")
    web.knows("csi")
    answers = {path: web.get(path) for path, _ in ROUTES}
    assert [(path, answers[path].status) for path, _ in ROUTES] == ROUTES
    for answer in answers.values():
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert "permissions-policy" in answer.headers
        assert answer.headers["cross-origin-resource-policy"] == "same-site"
        assert "access-control-allow-origin" not in answer.headers
        assert "server" not in answer.headers


def test_what_is_not_known_is_an_error_and_not_a_zero(camera: Camera, start: Start) -> None:
    web = Web(start)
    for path in EMPTY:
        answer = web.get(path)
        assert answer.status == 503, path
        assert answer.json()["status" if path == "/readyz" else "detail"], path


def test_readings_have_the_predecessors_names_and_their_age(web: Web, camera: Camera) -> None:
    read_all(camera)
    wait_until(lambda: web.get("/api/metrics").status == 200, "web has the readings")
    stats = web.get("/api/stats").json()
    assert stats["cpu"] == {"temp_c": 51.5, "usage_percent": 12.5}
    assert stats["memory"] == {
        "total": 4 << 30,
        "used": 1 << 30,
        "available": 3 << 30,
        "percent": 25,
    }
    assert stats["network"] == {"ipv4_addresses": None, "internet_reachable": None}
    assert stats["services"]["web"] == "online"
    assert 3 <= stats["ages"]["sensors/cpu/temperature"] < 13
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", stats["timestamp"])
    system = web.get("/api/system/metrics").json()
    assert (system["cpuTemp"], system["memoryUsage"], system["memoryTotal"]) == (51.5, 1, 4)
    assert system["uptime"] == "1d 2h 3m"
    everything = web.get("/api/metrics").json()
    assert everything["i2c_sensors"]["bme680"]["temperature"] == 21
    assert everything["i2c_sensors"]["bme680"]["calibration_status"] == "calibrating"
    assert everything["audio_level"] is None and everything["camera"] is None


def test_a_camera_says_how_it_is(web: Web, camera: Camera) -> None:
    camera.say(width=320, height=240, fps=29.9)
    wait_until(lambda: web.get("/camera/status").json()["framerate"], "the status is there")
    status = web.get("/camera/status").json()
    assert status["running"] is True and status["resolution"] == [320, 240]
    assert status["publisher"]["status"] == "streaming"
    camera.say(state="backoff", error="busy")
    wait_until(lambda: not web.get("/camera/status").json()["running"], "the error is there")
    assert "busy" in web.get("/camera/status").json()["trouble"]
    health = web.get("/healthz")
    assert health.status == 200 and health.json()["status"] == "degraded"
    assert any("busy" in line for line in health.json()["degraded"])
    assert web.get("/readyz").status == 503


def test_cameras_are_offered_with_relative_addresses(web: Web) -> None:
    (offer,) = web.get("/api/cameras").json()["cameras"]
    assert offer["name"] == "csi" and offer["path"] == "csi_camera"
    assert offer["tracks"] == ["video", "audio"]
    assert not any(offer[way].startswith("/") for way in ("live", "hls", "mjpeg", "snapshot"))
    assert web.get("/" + offer["mjpeg"].replace("csi", "nothing")).status == 404


def test_a_station_has_the_name_that_people_gave_it(start: Start, camera: Camera) -> None:
    camera.say()
    web = Web(start, name="Garden Farm")
    assert web.get("/api/cameras").json()["station"] == "Garden Farm"
    with web.socket("events") as page:
        assert json.loads(page.recv())["station"] == "Garden Farm"


def test_cameras_have_the_titles_that_people_gave_them(web: Web, camera: Camera) -> None:
    found = web.get("/api/cameras").json()
    assert (found["station"], found["cameras"][0]["title"]) == (None, "csi")
    camera.say(title="Coop")
    wait_until(lambda: web.get("/api/cameras").json()["cameras"][0]["title"] == "Coop", "a title")


def test_the_page_is_not_kept_and_its_files_are_asked_about(web: Web) -> None:
    assert web.get("/").headers["cache-control"] == "no-store"
    style = web.get("/static/style.css")
    assert style.headers["cache-control"] == "no-cache"
    again = web.get("/static/style.css", If_None_Match=style.headers["etag"])
    assert (again.status, again.body) == (304, b"")


def test_the_page_warms_the_camera_up(web: Web) -> None:
    video = 'beeper_fragments_total{camera="csi",kind="video"}'
    assert web.count(video) == 0
    web.get("/")
    wait_until(lambda: web.count(video) > 0, "fragments come before anybody watches")


def test_docs_come_from_nowhere_else(web: Web) -> None:
    text = web.get("/docs").body.decode()
    assert "/api/stats" in text and "live/{camera}" in text
    assert "http" not in text.lower().replace("<!doctype html>", "").replace("http api", "")
    assert "<script" not in text and "style=" not in text


def test_rubbish_on_every_topic_is_counted_and_stops_nothing(
    web: Web, camera: Camera, broker: Broker
) -> None:
    with web.socket("live/csi") as viewer:
        frames(viewer, 1)
        rubbish: list[Any] = []
        for topic in TOPICS:
            levels = {name: "csi" for name in ("camera", "relay", "instance")}
            name = address(topic, **levels)
            for payload in (
                b"\xff\xfe",
                b"{}",
                b"[" * 3000,
                b'{"timestamp": 1e999}',
                b"x" * 300_000,
            ):
                rubbish.append((name, payload, 1, True))
        rubbish.append(("media/csi/video/init", b"rubbish", 1, False))
        rubbish.append((f"media/csi/video/fragment/{camera.session}", b"rubbish", 1, False))
        rubbish.append((f"media/csi/video/fragment/{camera.session}", b"", 1, False))
        paho.mqtt.publish.multiple(rubbish, hostname="127.0.0.1", port=broker.port)
        for topic in SHOWN:
            metric = f'beeper_invalid_messages_total{{topic="{topic.path}"}}'
            wait_until(partial(counted, web, metric, len(RUBBISH)), f"{topic.path} is counted")
        init = 'beeper_invalid_messages_total{topic="media/{camera}/{track}/init"}'
        wait_until(lambda: web.count(init) == 1, "the header is counted")
        part = 'beeper_invalid_messages_total{topic="media/{camera}/{track}/fragment/{session}"}'
        wait_until(lambda: web.count(part) == 2, "the fragments are counted")
        frames(viewer, 1)
    assert web.get("/healthz").status == 200


def test_a_flood_of_names_does_not_grow_for_ever(web: Web, broker: Broker) -> None:
    flood: list[Any] = [(f"media/c{n}/video/init", b"x", 1, False) for n in range(100)]
    paho.mqtt.publish.multiple(
        flood,
        hostname="127.0.0.1",
        port=broker.port,
        protocol=MQTTProtocolVersion.MQTTv5,
    )
    wait_until(
        lambda: (
            web.count('beeper_invalid_messages_total{topic="media/{camera}/{track}/init"}') == 100
        ),
        "all are counted",
    )
    assert len(web.get("/api/cameras").json()["cameras"]) == 1


def counted(web: Web, metric: str, least: int) -> bool:
    return web.count(metric) >= least


@pytest.mark.parametrize("path", ["/api/stats", "/camera/status", "/"])
def test_nothing_is_written_over_http(web: Web, path: str) -> None:
    assert web.get(path, "POST").status == 405
