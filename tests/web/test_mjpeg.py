import contextlib
import http.client
import socket
import time

from bus import Levels
from bus.messages import JpegLease
from bus.topics import JPEG_LEASE
from bus_camera import Camera
from conftest import DEADLINE, Start, wait_until
from web_station import Web

PICTURE = b"\xff\xd8" + bytes(20_000) + b"\xff\xd9"


class Darkroom:
    """Answers leases with numbered pictures, as `stills` does."""

    def __init__(self, camera: Camera) -> None:
        self.leases: list[JpegLease] = []
        self._camera = camera
        camera.subscribe(JPEG_LEASE, self._lease)

    def _lease(self, lease: JpegLease, _levels: Levels) -> None:
        self.leases.append(lease)

    def develop(self, number: int) -> None:
        self._camera.jpeg(PICTURE[:-2] + b"%06d" % number + PICTURE[-2:])


def test_pictures_are_streamed_while_a_lease_is_renewed(camera: Camera, start: Start) -> None:
    camera.say()
    darkroom = Darkroom(camera)
    web = Web(start, lease="1", jpeg_fps="7")
    wait_until(lambda: web.get("/camera/status").status == 200, "web knows the camera")
    connection = http.client.HTTPConnection(web.host, timeout=DEADLINE)
    connection.putrequest("GET", "/camera/stream.mjpg?camera=csi")
    connection.endheaders()
    wait_until(lambda: darkroom.leases, "a lease")
    assert (darkroom.leases[0].holder, darkroom.leases[0].fps) == ("web", 7)
    darkroom.develop(0)
    response = connection.getresponse()
    assert response.status == 200
    assert response.headers["content-type"] == "multipart/x-mixed-replace; boundary=beeper"
    assert response.headers["cache-control"] == "no-store"
    for number in range(3):
        assert response.readline() == b"--beeper\r\n"
        assert response.readline() == b"Content-Type: image/jpeg\r\n"
        length = int(response.readline().split(b":")[1])
        assert response.readline() == b"\r\n"
        picture = response.read(length)
        assert picture.endswith(b"%06d\xff\xd9" % number)
        assert response.readline() == b"\r\n"
        darkroom.develop(number + 1)
    count = len(darkroom.leases)
    wait_until(lambda: len(darkroom.leases) > count, "the lease is renewed")
    response.close()
    connection.close()
    wait_until(lambda: web.count("beeper_mjpeg_viewers") == 0, "the viewer is forgotten")


def test_a_snapshot_is_one_fresh_picture(camera: Camera, start: Start) -> None:
    camera.say()
    darkroom = Darkroom(camera)
    web = Web(start)
    wait_until(lambda: web.get("/camera/status").status == 200, "web knows the camera")
    with socket.create_connection(("127.0.0.1", web.port), 10) as client:
        client.sendall(b"GET /camera/snapshot.jpg HTTP/1.0\r\n\r\n")
        wait_until(lambda: darkroom.leases, "a lease")
        camera.jpeg(b"no picture")
        darkroom.develop(4)
        answer = b""
        while data := client.recv(65_536):
            answer += data
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b" 200 " in head and b"image/jpeg" in head and b"no-store" in head
    assert body.endswith(b"%06d\xff\xd9" % 4)
    assert web.count('beeper_invalid_messages_total{topic="media/{camera}/jpeg"}') == 1


def test_without_a_picture_the_reason_is_said(camera: Camera, start: Start) -> None:
    web = Web(start, jpeg_wait="0.3")
    assert web.get("/camera/snapshot.jpg").json() == {"detail": "no camera has been heard of"}
    camera.say()
    wait_until(lambda: web.get("/camera/status").status == 200, "web knows the camera")
    assert "no picture within" in web.get("/camera/snapshot.jpg").json()["detail"]
    camera.say(state="backoff", error="no permission for /dev/video0")
    wait_until(lambda: not web.get("/camera/status").json()["running"], "web knows the error")
    for path in ("/camera/snapshot.jpg", "/camera/stream.mjpg?camera=csi"):
        answer = web.get(path)
        assert answer.status == 503
        assert "no permission for /dev/video0" in answer.json()["detail"]


def test_a_slow_viewer_misses_pictures_and_others_do_not(camera: Camera, start: Start) -> None:
    camera.say()
    darkroom = Darkroom(camera)
    web = Web(start)
    wait_until(lambda: web.get("/camera/status").status == 200, "web knows the camera")
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect(("127.0.0.1", web.port))
    with slow:
        slow.sendall(b"GET /camera/stream.mjpg HTTP/1.0\r\n\r\n")
        wait_until(lambda: web.count("beeper_mjpeg_viewers") == 1, "the slow one waits")
        for number in range(100):
            darkroom.develop(number)
            time.sleep(0.005)
        slow.settimeout(0.5)
        text = bytearray()

        def newest() -> bool:
            darkroom.develop(500)
            with contextlib.suppress(TimeoutError):
                text.extend(slow.recv(65_536))
            return b"%06d\xff\xd9" % 500 in text

        wait_until(newest, "the newest comes")
    seen = [b"%06d\xff\xd9" % number in text for number in range(100)]
    assert seen[0] and sum(seen) < 80
