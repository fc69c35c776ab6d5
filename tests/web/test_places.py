"""Places for pages and pictures, from many addresses."""

import contextlib
import threading

import pytest
from bus_camera import Camera
from conftest import Start
from web_station import Web, close_of, messages
from websockets.sync.client import ClientConnection

PICTURE = b"\xff\xd8" + bytes(2000) + b"\xff\xd9"


@pytest.fixture
def web(camera: Camera, start: Start) -> Web:
    camera.say()
    camera.film()
    web = Web(start, max_viewers="10", BEEPER_ACCESS__OPERATORS='["local-192.168.9.9"]')
    web.knows("csi")
    return web


class Crowd:
    """Sockets from invented addresses."""

    def __init__(self, web: Web, path: str, stack: contextlib.ExitStack) -> None:
        self._web, self._path, self._stack = web, path, stack

    def come(self, address: str) -> ClientConnection:
        headers = {"X-Forwarded-For": address}
        socket = self._web.socket(self._path, additional_headers=headers)
        return self._stack.enter_context(socket)

    def gets_in(self, address: str) -> bool:
        """Whether something is said to it; else it is closed with 4503."""
        socket = self.come(address)
        if next(messages(socket), None) is not None:
            return True
        assert close_of(socket)[0] == 4503
        return False


@pytest.mark.parametrize("path", ["events", "live/csi"])
def test_one_address_does_not_take_all_places(web: Web, path: str) -> None:
    with contextlib.ExitStack() as stack:
        crowd = Crowd(web, path, stack)
        assert all(crowd.gets_in("192.168.7.7") for _ in range(8))
        assert not crowd.gets_in("192.168.7.7")
        assert crowd.gets_in("192.168.7.8") and crowd.gets_in("192.168.7.9")


@pytest.mark.parametrize("path", ["events", "live/csi"])
def test_whoever_holds_most_gives_way_and_operators_come_in(web: Web, path: str) -> None:
    with contextlib.ExitStack() as stack:
        crowd = Crowd(web, path, stack)
        many = [crowd.come("192.168.7.7") for _ in range(8)]
        few = [crowd.come(f"192.168.7.{n}") for n in (8, 9)]
        for socket in (*many, *few):
            assert next(messages(socket), None) is not None
        assert crowd.gets_in("192.168.7.10")
        assert close_of(many[-1])[0] == 4503
        assert crowd.gets_in("192.168.9.9"), "the operator"
        assert close_of(many[-2])[0] == 4503
        for socket in (*many[:6], *few):
            assert socket.close_code is None


def test_networks_of_ipv6_are_one_holder(web: Web) -> None:
    with contextlib.ExitStack() as stack:
        crowd = Crowd(web, "events", stack)
        assert all(crowd.gets_in(f"fd00::{n}") for n in range(1, 9))
        assert not crowd.gets_in("fd00::abcd:1")
        assert crowd.gets_in("fd00:0:0:1::1")


def test_streams_of_jpegs_are_shared_too(web: Web, camera: Camera) -> None:
    import http.client

    over = threading.Event()

    def develop() -> None:
        while not over.wait(0.05):
            camera.jpeg(PICTURE)

    maker = threading.Thread(target=develop)
    maker.start()
    try:
        with contextlib.ExitStack() as stack:

            def ask(address: str) -> http.client.HTTPResponse:
                stream = stack.enter_context(
                    contextlib.closing(http.client.HTTPConnection(web.host, timeout=30))
                )
                stream.request("GET", "/camera/stream.mjpg", headers={"X-Forwarded-For": address})
                return stream.getresponse()

            many = [ask("192.168.7.7") for _ in range(8)]
            assert [answer.status for answer in many] == [200] * 8
            assert ask("192.168.7.7").status == 503
            assert [ask(f"192.168.7.{n}").status for n in (8, 9, 10)] == [200] * 3
            assert many[-1].read().count(PICTURE) > 0, "the newest has ended"
    finally:
        over.set()
        maker.join()
    assert web.count("beeper_mjpeg_viewers") <= 10
