import itertools
import json
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

from bus.messages import AudioLevel, Climate
from bus.topics import AUDIO, CLIMATE
from bus_camera import Camera
from conftest import Broker, Start, wait_until
from web_station import Web, client_frame, close_of, messages
from websockets.sync.client import ClientConnection


def loudness(level: float) -> AudioLevel:
    return AudioLevel(timestamp=time.time(), level_db=level, level_dbfs=-40, peak_dbfs=-30)


def first(page: ClientConnection, wanted: Callable[[Any], bool]) -> Any:
    return next(message for message in messages(page) if wanted(message))


def is_bus(state: str) -> Callable[[Any], bool]:
    return lambda message: message["type"] == "bus" and message["state"] == state


def test_a_page_gets_hello_the_bus_and_everything_that_is_known(web: Web, camera: Camera) -> None:
    air = Climate(
        timestamp=time.time(), temperature=21, temperature_raw=24, humidity=50, pressure=1000
    )
    camera.publish(CLIMATE, air)
    wait_until(lambda: web.get("/api/metrics").status == 200, "web has the reading")
    with web.socket("events") as page:
        hello, bus, *known = itertools.islice(messages(page), 6)
    assert hello["type"] == "hello" and abs(hello["server_time"] - time.time()) < 5
    assert hello["intervals"]["sensors/bme680/all"] == 10
    limits = {limit["field"]: limit for limit in hello["limits"]}
    assert limits["sensors/cpu/temperature:cpu_temp"]["bad_above"] == 80
    assert bus["state"] == "connected"
    topics = {message["topic"]: message["message"] for message in known}
    services = {"service/web/status", "service/camera-csi/status"}
    assert topics.keys() == {"sensors/bme680/all", "camera/csi/status"} | services
    assert topics["sensors/bme680/all"]["temperature"] == 21
    assert topics["sensors/bme680/all"]["iaq"] is None


def test_a_new_reading_reaches_the_page(web: Web, camera: Camera) -> None:
    with web.socket("events") as page:
        first(page, lambda message: message["type"] == "bus")
        camera.publish(AUDIO, loudness(55.5))
        reading = first(page, lambda message: message.get("topic") == "audio/level")
    assert reading["message"]["level_db"] == 55.5


def test_a_ping_is_answered_with_the_servers_clock(web: Web) -> None:
    with web.socket("events") as page:
        asked = time.time()
        page.send('{"type":"ping","id":7}')
        pong = first(page, lambda message: message["type"] == "pong")
    assert pong["id"] == 7 and asked <= pong["server_time"] <= time.time()


def test_rubbish_ends_the_connection(web: Web) -> None:
    with web.socket("events") as page:
        page.send('{"type":"ping"}')
        assert close_of(page) == (1008, "that is not understood")


def test_a_page_that_says_nothing_is_let_go(camera: Camera, start: Start) -> None:
    web = Web(start, idle="1")
    with web.socket("events") as page:
        assert close_of(page)[0] == 1001


def test_a_stopped_broker_is_said(web: Web, broker: Broker) -> None:
    with web.socket("events") as page:
        first(page, is_bus("connected"))
        broker.signal(signal.SIGSTOP)
        first(page, is_bus("silent"))
        assert web.get("/healthz").status == 503
        broker.signal(signal.SIGCONT)
        first(page, is_bus("connected"))


def test_a_dead_broker_is_said_and_its_return_too(web: Web, broker: Broker, camera: Camera) -> None:
    with web.socket("events") as page:
        first(page, is_bus("connected"))
        broker.stop()
        first(page, is_bus("lost"))
        broker.start()
        first(page, is_bus("connected"))
        camera.publish(AUDIO, loudness(44))
        first(page, lambda message: message.get("topic") == "audio/level")


def test_a_broker_that_is_back_at_once_was_away_nevertheless(web: Web, broker: Broker) -> None:
    with web.socket("events") as page:
        first(page, is_bus("connected"))
        for _ in range(3):
            broker.stop()
            broker.start()
            first(page, is_bus("lost"))
            first(page, is_bus("connected"))


def test_only_the_newest_reading_waits_for_a_slow_page(camera: Camera, start: Start) -> None:
    web = Web(start, send_buffer="4096", unsent="4096")
    page = socket.socket()
    page.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    page.connect(("127.0.0.1", web.port))
    head = f"GET /events HTTP/1.1\r\nHost: {web.host}\r\nConnection: Upgrade\r\n"
    head += "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    page.sendall(f"{head}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
    count = 3000
    with page:
        while page.recv(1) != b"\x81":  # the first message: the handshake is done
            pass
        for number in range(count):
            page.sendall(client_frame(1, json.dumps({"type": "ping", "id": number}).encode()))
        camera.publish(AUDIO, loudness(66))
        wait_until(lambda: web.get("/api/metrics").status == 200, "web has the reading")
        text = b""
        while f'"id": {count - 1}'.encode() not in text or b'"level_db":66' not in text:
            data = page.recv(65_536)
            assert data, "the newest never came"
            text += data
    assert text.count(b'"level_db":66') == 1
    assert text.count(b'"pong"') < count
