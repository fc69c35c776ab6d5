"""A real camera with an address full of secrets: nobody else sees any of them, anywhere."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import psutil
import pytest
from bus.address import Address
from camera_ear import Ear, variables
from camera_rtsp import RtspServer
from conftest import Broker, Service, Start, free_port, wait_until
from http_camera import HttpCamera
from nginx_rtmp import NginxRtmp
from paho.mqtt.enums import CallbackAPIVersion
from tls_front import TlsFront

X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "20"]
FILM = ["-re", "-f", "lavfi", "-i", "testsrc2=s=320x240:r=20", *X264, "-pix_fmt", "yuv420p"]

AWAY = [
    "rtsp://Geheim-1:x@127.0.0.1:{}/live",
    "rtsp://me:Geheim%2F1@127.0.0.1:{}/live",
    "rtsp://127.0.0.1:{}/user=admin_password=Geheim-1_channel=1_stream=0.sdp?real_stream",
    "rtsp://[::1]:{}/live?token=Geheim-1#Geheim-2",
    "rtsps://127.0.0.1:{}/Geheim-1?enableSrtp",
    "rtmp://127.0.0.1:{}/live/Geheim-1",
    "rtmps://127.0.0.1:{}/live/stream?key=Geheim-1",
    "srt://127.0.0.1:{}?streamid=Geheim-1&passphrase=Geheim-1234",
    "http://127.0.0.1:{}/axis-cgi/mjpg/video.cgi?user=admin&pwd=Geheim-1",
    "https://me:Geheim-1@127.0.0.1:{}/list.m3u8",
    "tcp://me:Geheim-1@127.0.0.1:{}?token=Geheim-1",
    "udp://me:Geheim-1@127.0.0.1:{}?token=Geheim-1&timeout=300000",
]


class Onlooker:
    """Sees what others can: the bus, the log, and every command line of the service's family."""

    def __init__(self, port: int, service: Service) -> None:
        self._service = service
        self.seen: list[str] = []
        self.lines: set[str] = set()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_message = self._hear
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("beeper/#", 1)
        self._client.loop_start()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _hear(self, _client: object, _userdata: object, message: paho.MQTTMessage) -> None:
        self.seen.append(f"{message.topic} {message.payload.decode(errors='replace')}")

    def _watch(self) -> None:
        family = psutil.Process(self._service.process.pid)
        while not self._done.is_set():
            try:
                for one in (family, *family.children(recursive=True)):
                    self.lines.add(" ".join(one.cmdline()))
            except psutil.Error:
                time.sleep(0.001)

    def everything(self) -> str:
        """All that was seen; it looks no longer."""
        self._done.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()
        return "\n".join([*self.seen, *self.lines, self._service.log()])


@pytest.fixture
def film(start: Start, broker: Broker, ear: Ear) -> Iterator[list[Onlooker]]:
    """Whoever looks on, ended with the test."""
    lookers: list[Onlooker] = []
    yield lookers
    for looker in lookers:
        looker.everything()


@pytest.mark.parametrize("url", AWAY)
def test_nothing_is_seen_of_a_camera_that_is_away(
    url: str, start: Start, broker: Broker, ear: Ear, film: list[Onlooker]
) -> None:
    url = url.format(free_port())
    given = variables("door", driver="url", url=url, audio="source", start_timeout="3")
    service = start("camera", "door", BEEPER_LOG_LEVEL="debug", **given)
    film.append(looker := Onlooker(broker.port, service))
    status = ear.said(lambda s: s.restarts > 1 and s.error, "attempts")
    assert status.error
    assert status.error.startswith(Address.parse(url).shown) or "no first frame" in status.error
    seen = looker.everything()
    assert "Geheim" not in seen
    assert status.error.partition(":")[0] in seen


def test_nothing_is_seen_of_one_that_streams_by_rtsp(
    start: Start, broker: Broker, ear: Ear, film: list[Onlooker], tmp_path: Path
) -> None:
    server = RtspServer(tmp_path, *FILM, "-bsf:v", "dump_extra")
    try:
        url = server.url.replace("//", "//Geheim-1:Geheim%2F2@") + "/Geheim-3?token=Geheim-4"
        given = variables("door", driver="url", url=url, stall_timeout="5")
        service = start("camera", "door", BEEPER_LOG_LEVEL="debug", **given)
        film.append(looker := Onlooker(broker.port, service))
        ear.more(40)
        seen = looker.everything()
    finally:
        server.close()
    assert any(line.startswith("ffmpeg") for line in looker.lines)
    assert "Geheim" not in seen


def test_nothing_is_seen_of_one_that_streams_by_http(
    start: Start, broker: Broker, ear: Ear, film: list[Onlooker]
) -> None:
    with HttpCamera("Geheim-1:Geheim/2", "Digest") as camera:
        url = camera.url("wronglen", "Geheim-1:Geheim%2F2", "?pwd=Geheim-3")
        given = variables("door", driver="url", url=url, stall_timeout="5", audio="source")
        service = start("camera", "door", BEEPER_LOG_LEVEL="debug", **given)
        film.append(looker := Onlooker(broker.port, service))
        ear.more(40)
        ear.said(lambda s: "the camera has no sound" in (s.warning or ""), "the cause")
        seen = looker.everything()
    assert any(line.startswith("ffmpeg") for line in looker.lines)
    assert "Geheim" not in seen


def test_a_still_is_a_picture_again_and_again(start: Start, ear: Ear) -> None:
    with HttpCamera() as camera:
        url = camera.url("still")
        start("camera", "door", **variables("door", driver="url", url=url, stall_timeout="9"))
        ear.more(8)
        assert len(camera.asked) >= 8


@pytest.mark.parametrize("sign", ["#", "/", "?", "@", "["])
def test_a_password_to_encode_ends_the_service_with_one_line(sign: str, start: Start) -> None:
    url = f"rtsp://admin:Geheim{sign}2@host/live"
    service = start("camera", "door", **variables("door", driver="url", url=url))
    wait_until(lambda: service.process.poll() is not None, "the service ends")
    assert service.process.returncode == 1
    assert len(service.log().splitlines()) == 1
    assert f"the password contains '{sign}': write it as %" in service.log()
    assert "Geheim" not in service.log()


def test_rtsps_is_copied(start: Start, ear: Ear, tmp_path: Path) -> None:
    server = RtspServer(tmp_path, *FILM, "-bsf:v", "dump_extra")
    front = TlsFront(tmp_path, int(server.url.split(":")[2].split("/")[0]))
    try:
        url = f"rtsps://127.0.0.1:{front.port}/live"
        start("camera", "door", **variables("door", driver="url", url=url, stall_timeout="5"))
        ear.more(40)
        ear.said(lambda s: s.encoding == "copy" and s.state == "streaming", "a copy")
    finally:
        front.close()
        server.close()


def test_rtmps_is_copied(start: Start, ear: Ear, tmp_path: Path) -> None:
    with NginxRtmp(tmp_path) as nginx:
        front = TlsFront(tmp_path, nginx.port)
        target = ["-f", "flv", f"{nginx.url}/door"]
        wait_until(lambda: nginx.process and (tmp_path / "nginx.pid").exists(), "nginx listens")
        sender = psutil.Popen(["ffmpeg", "-v", "error", "-nostdin", *FILM, *target])
        try:
            url = f"rtmps://127.0.0.1:{front.port}/live/door"
            start("camera", "door", **variables("door", driver="url", url=url, stall_timeout="5"))
            ear.more(40)
            ear.said(lambda s: s.encoding == "copy" and s.state == "streaming", "a copy")
        finally:
            front.close()
            sender.kill()
            sender.wait()
