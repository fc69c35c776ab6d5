"""The shipped nginx before a real web: a TLS server of its own, and below /secure/ of another."""

import base64
import contextlib
import http.server
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, get_args

import pytest
from bus.topics import JPEG_LEASE
from bus_camera import Camera
from conftest import DEADLINE, Broker, Start, free_port, starter, wait_until
from hls_playlist import Playlist
from shipped_nginx import Form, ShippedNginx
from web_station import Web, frames, gaps
from websockets.exceptions import InvalidStatus

PICTURE = b"\xff\xd8" + bytes(20_000) + b"\xff\xd9"
FORMS = get_args(Form)
PROXIED = {"BEEPER_ACCESS__PROXIES": '["127.0.0.1/32"]'}
PASSWORD = "correct horse"  # noqa: S105 (of this test only)


class Station(NamedTuple):
    """What stands behind nginx."""

    start: Start
    camera: Camera
    web: Web


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    broker = Broker(tmp_path_factory.mktemp("mosquitto"))
    broker.start()
    with (
        starter(broker, tmp_path_factory.mktemp("web")) as start,
        Camera(broker.port) as camera,
    ):
        camera.say()
        camera.film()
        web = Web(start, **PROXIED, BEEPER_ACCESS__USER_HEADER="X-Remote-User")
        web.knows("csi")
        yield Station(start, camera, web)
    broker.stop()


@pytest.fixture(scope="module", params=FORMS, ids=["own", "below"])
def nginx(
    request: pytest.FixtureRequest,
    station: Station,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ShippedNginx]:
    with running(tmp_path_factory.mktemp("nginx"), station.web, request.param) as nginx:
        yield nginx


@contextmanager
def running(
    folder: Path, web: Web, form: Form, changes: Mapping[str, str] | None = None
) -> Iterator[ShippedNginx]:
    nginx = ShippedNginx(folder, web.port, form, changes)
    try:
        yield nginx
    finally:
        nginx.stop()


def name_of(nginx: ShippedNginx, **headers: str) -> str:
    answer = nginx.get("api/me", **headers)
    assert answer.status == 200, answer.body
    return str(answer.json()["name"])


def basic(name: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{PASSWORD}".encode()).decode()


def test_what_a_client_says_of_itself_does_not_count(nginx: ShippedNginx) -> None:
    for forged in ("10.0.0.1", "127.0.0.1", "nonsense, 10.0.0.1"):
        assert name_of(nginx, X_Forwarded_For=forged) == "local-127.0.0.9"
    lies = {
        "CF_Connecting_IP": "10.0.0.1",
        "Cf_Access_Jwt_Assertion": "a.b.c",
        "CF_Ray": "1",
        "X_Real_IP": "10.0.0.1",
        "X_Remote_User": "olga",
        "Forwarded": "for=10.0.0.1",
    }
    assert name_of(nginx, **lies) == "local-127.0.0.9"
    assert name_of(nginx, Authorization=basic("olga")) == "local-127.0.0.9"


def test_only_the_own_server_takes_the_whole_site(nginx: ShippedNginx) -> None:
    page = nginx.get("")
    assert page.status == 200 and b"Beeper Keeper" in page.body
    if nginx.prefix:
        assert nginx.outside("/") == b"another site\n"
        assert nginx.outside("/api/me") == b"another site\n"


def test_frames_come_over_a_websocket(nginx: ShippedNginx) -> None:
    with nginx.socket("live/csi") as socket:
        found = frames(socket, 30)
    assert len(found) > 15 and not gaps(found)
    with nginx.socket("events") as socket:
        assert "hello" in str(socket.recv(timeout=DEADLINE))


def test_each_jpeg_comes_before_the_next_one_is_made(station: Station, nginx: ShippedNginx) -> None:
    leases: list[object] = []
    station.camera.subscribe(JPEG_LEASE, lambda lease, _levels: leases.append(lease))
    stream = threading.Thread(target=develop_when, args=(station.camera, leases))
    stream.start()
    with nginx.asking("camera/stream.mjpg?camera=csi") as answer:
        stream.join()
        for number in range(3):
            lines = [answer.readline() for _ in range(4)]
            assert lines[0] == b"--beeper\r\n"
            picture = answer.read(int(lines[2].split(b":")[1]))
            assert picture.endswith(b"%06d\xff\xd9" % number)
            answer.readline()
            station.camera.jpeg(numbered(number + 1))


def develop_when(camera: Camera, leases: list[object]) -> None:
    wait_until(lambda: leases, "a lease")
    camera.jpeg(numbered(0))


def numbered(number: int) -> bytes:
    return PICTURE[:-2] + b"%06d" % number + PICTURE[-2:]


def test_a_playlist_of_hls_waits_for_what_is_asked(nginx: ShippedNginx) -> None:
    def playlist(query: str = "") -> Playlist:
        answer = nginx.get(f"csi_camera/video.m3u8{query}")
        assert answer.status == 200, answer.body
        return Playlist(answer.body.decode())

    segment, part = playlist().last
    for number in range(part + 1, part + 4):
        following = playlist(f"?_HLS_msn={segment}&_HLS_part={number}")
        assert following.last >= min((segment, number), (segment + 1, 0))


def test_whep_reaches_the_station(nginx: ShippedNginx) -> None:
    answer = nginx.get("csi_camera/whep", "POST", Content_Type="application/sdp")
    assert answer.status == 503 and "webrtc" in answer.json()["detail"]
    assert nginx.get("webrtc/config").status == 200
    assert "whep" not in nginx.log(), "what only repeats itself is not logged"


def test_the_motor_is_not_hurried_but_stopping_it_is_never_refused(nginx: ShippedNginx) -> None:
    def codes(path: str) -> list[int]:
        return [nginx.get(f"api/stepper/{path}", "POST").status for _ in range(15)]

    assert set(codes("abort")) == {403}, "nobody here is an operator"
    hurried = codes("step?steps=5")
    assert hurried[:10] == [403] * 10 and 429 in hurried
    assert nginx.get("api/me").status == 200


@pytest.mark.parametrize("form", FORMS)
def test_guesses_are_few_and_everybody_else_is_served(
    station: Station, tmp_path: Path, form: Form
) -> None:
    with running(tmp_path, station.web, form, {"burst=500": "burst=3", "rate=50r": "rate=1r"}) as n:
        for path in ("", "api/me"):
            codes = [n.get(path, Authorization=basic("eve")).status for _ in range(12)]
            assert 429 in codes, (path, codes)
            assert n.get(path).status == 200, "whoever sends no password"


@pytest.mark.parametrize("form", FORMS)
def test_an_address_holds_so_many_connections(station: Station, tmp_path: Path, form: Form) -> None:
    few = {"beeper_connections 4000": "beeper_connections 3"}
    with running(tmp_path, station.web, form, few) as nginx, contextlib.ExitStack() as open_ones:
        for _ in range(3):
            open_ones.enter_context(nginx.socket("events"))
        with pytest.raises(InvalidStatus) as refused, nginx.socket("events"):
            pass
        assert refused.value.response.status_code == 429


def test_a_request_that_never_becomes_whole_is_let_go(station: Station, tmp_path: Path) -> None:
    soon = {"client_header_timeout 10s": "client_header_timeout 1s"}
    with running(tmp_path, station.web, "", soon) as nginx:
        for begun in (b"", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: "):
            assert last_words(nginx, begun) in (b"", b"HTTP/1.1 408"), begun
        much = b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X-A: %s\r\n" % (b"a" * 9000)
        assert last_words(nginx, much) == b"HTTP/1.1 400", "more than a line of headers may have"
        many = b"GET / HTTP/1.1\r\nHost: localhost\r\n" + (b"X-A: %s\r\n" % (b"a" * 7000)) * 6
        assert last_words(nginx, many) == b"HTTP/1.1 400", "more than all of them may have"


def last_words(nginx: ShippedNginx, begun: bytes) -> bytes:
    """What nginx says to the beginning of a request before it closes; 12 bytes of it."""
    raw = socket.create_connection(("127.0.0.1", nginx.port), timeout=30)
    with nginx.tls.wrap_socket(raw) as connection:
        said = b""
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            connection.sendall(begun)
            while piece := connection.recv(4096):
                said += piece
    return said[:12]


def test_plain_http_leads_to_the_own_server(nginx: ShippedNginx) -> None:
    if nginx.prefix:
        pytest.skip("of the other form")
    assert nginx.redirect("/x?y=1") == (301, "https://localhost/x?y=1")


@pytest.mark.parametrize("form", FORMS)
def test_nginx_asks_for_the_password_and_says_who_it_was(
    station: Station, tmp_path: Path, form: Form
) -> None:
    shutting = {"# include beeper-keeper/basic.conf;": "include beeper-keeper/basic.conf;"}
    hashed = subprocess.run(
        ["openssl", "passwd", "-6", "-stdin"],
        input=PASSWORD,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    with running(tmp_path, station.web, form, shutting) as nginx:
        (tmp_path / "beeper-keeper" / "users").write_text(f"bob:{hashed}", encoding="utf-8")
        for path in ("", "api/me", "events", "csi_camera/index.m3u8", "camera/snapshot.jpg"):
            assert nginx.get(path).status == 401, path
            assert nginx.get(path, Authorization=basic("eve")).status == 401, path
        assert name_of(nginx, Authorization=basic("bob"), X_Remote_User="olga") == "bob"


def test_a_tunnel_that_is_named_says_who_its_client_is(station: Station, tmp_path: Path) -> None:
    """cloudflared asks from 127.0.0.9, and web knows it and nginx."""
    web = Web(station.start, "2", **PROXIED, BEEPER_ACCESS__TUNNELS='["127.0.0.0/8"]')
    client = {"CF_Connecting_IP": "192.168.1.7", "X_Forwarded_For": "10.9.9.9, 192.168.1.7"}
    tunnel = {"# 127.0.0.1/32 1;": "127.0.0.9/32 1;"}
    with running(tmp_path, web, "", tunnel) as nginx:
        assert name_of(nginx, **client) == "local-192.168.1.7"
        refused = nginx.get("api/me", **client, Cf_Access_Jwt_Assertion="a.b.c")
        assert refused.status == 403 and "Access" in refused.json()["detail"]


@pytest.mark.parametrize("form", FORMS)
def test_livekits_signalling_passes_and_its_api_does_not(
    station: Station, tmp_path: Path, form: Form
) -> None:
    port = free_port()
    there = {"127.0.0.1:7880": f"127.0.0.1:{port}"}
    with livekit(port) as asked, running(tmp_path, station.web, form, there) as nginx:
        assert nginx.get("livekit/rtc/v1?access_token=secret").status == 200
        assert nginx.get("livekit/twirp/livekit.RoomService/ListRooms", "POST").status == 404
        assert "secret" not in nginx.log()
    assert asked == ["/rtc/v1?access_token=secret"]


@contextmanager
def livekit(port: int) -> Iterator[list[str]]:
    """Something that answers where LiveKit would, and what it was asked."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_each_client_behind_nginx_is_counted_by_itself(station: Station, tmp_path: Path) -> None:
    few = {"BEEPER_ACCESS__REFUSED_RATE": "0.01", "BEEPER_ACCESS__REFUSED_BURST": "5"}
    web = Web(station.start, "2", **PROXIED, **few)
    with running(tmp_path, web, "") as nginx:
        nginx.source = "127.0.0.9"
        assert [nginx.get("nothing").status for _ in range(7)] == [404] * 5 + [429] * 2
        nginx.source = "127.0.0.10"
        assert nginx.get("nothing").status == 404
