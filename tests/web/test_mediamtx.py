"""What MediaMTX is told when it asks who is there, and what the page gets of it."""

import asyncio
import contextlib
import http.client
import json
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from bus_camera import Camera
from conftest import DEADLINE, Start, wait_until
from team import KeyServer, token
from web.mediamtx import MOST, Mediamtx, tracks
from web.passwords import HASHER, write
from web.settings import Mediamtx as Options
from web_station import Answer, Web, messages

NEW = {
    "name": "csi_camera",
    "source": {"type": "rtspSession", "id": "1"},
    "available": True,
    "tracks": ["H264", "Opus"],
    "tracks2": [
        {"codec": "H264", "codecProps": {"width": 800, "height": 600}},
        {"codec": "Opus", "codecProps": None},
    ],
}
OLD = {"name": "csi_camera", "source": {"type": "rtspSession"}, "tracks": ["H264", "Opus"]}
IDLE: dict[str, Any] = {"name": "csi_camera", "source": None, "ready": False, "tracks": []}


@pytest.mark.parametrize("shape", [NEW, OLD, NEW | {"tracks": None}, NEW | {"surprise": [1]}])
def test_both_shapes_of_a_path_are_understood(shape: dict[str, Any]) -> None:
    assert tracks(shape) == ["H264", "Opus"]


@pytest.mark.parametrize("shape", [IDLE, {}, {"tracks2": None}, {"tracks2": [{}, 7, None]}])
def test_a_path_without_tracks_is_normal(shape: dict[str, Any]) -> None:
    assert tracks(shape) == []


@pytest.mark.parametrize("shape", [None, [], "H264"])
def test_what_is_no_path_is_refused(shape: Any) -> None:
    with pytest.raises(ValueError, match="no path"):
        tracks(shape)


class Api:
    """Answers as MediaMTX's servers would, out of what it is given."""

    def __init__(self) -> None:
        api = self
        self.path: Any = IDLE
        self.seen: list[tuple[str, str, str, bytes]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                api.answer(self)

            do_POST = do_DELETE = do_PATCH = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def answer(self, asked: BaseHTTPRequestHandler) -> None:
        content = asked.rfile.read(int(asked.headers.get("content-length", 0)))
        login = asked.headers.get("authorization", "")
        self.seen.append((asked.command, asked.path, login, content))
        status, headers, body = self._find(asked)
        asked.send_response(status)
        for name, value in headers.items():
            asked.send_header(name, value)
        asked.send_header("Content-Length", str(len(body)))
        asked.end_headers()
        asked.wfile.write(body)

    def _find(self, asked: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], bytes]:
        if asked.path == "/v3/paths/get/csi_camera" and self.path is not None:
            return 200, {"Content-Type": "application/json"}, json.dumps(self.path).encode()
        if asked.command == "POST" and asked.path == "/csi_camera/whep":
            location = "/csi_camera/whep/7cb1c1ba"
            return 201, {"Location": location, "Content-Type": "application/sdp"}, b"answer"
        if asked.command == "DELETE" and asked.path == "/csi_camera/whep/7cb1c1ba":
            return 200, {}, b""
        if asked.path.startswith("/csi_camera/index.m3u8?"):
            kind = {"Content-Type": "application/vnd.apple.mpegurl", "Set-Cookie": "a=b"}
            return 200, kind, asked.path.encode()
        return 404, {"Content-Type": "application/json"}, b"{}"

    def close(self) -> None:
        """End it; a second time does nothing."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    yield api
    api.close()


@pytest.fixture
def team() -> Iterator[KeyServer]:
    team = KeyServer()
    team.start()
    yield team
    team.stop()


@pytest.fixture
def web(api: Api, camera: Camera, start: Start, tmp_path: Path, team: KeyServer) -> Web:
    """Web that takes WebRTC and HLS from MediaMTX."""
    camera.say()
    camera.film()
    (tmp_path / "password").write_text("publish-me\n")
    addresses = {f"BEEPER_MEDIAMTX__{part}": api.url for part in ("API", "HLS", "WHEP")}
    settings = {
        "BEEPER_MEDIAMTX__INTERVAL": "0.1",
        "BEEPER_MEDIAMTX__PASSWORD_FILE": str(tmp_path / "password"),
        "BEEPER_MEDIAMTX__WEB_PASSWORD": "web-itself",
    }
    web = Web(start, media="mediamtx", **addresses, **settings, **team.settings())
    web.knows("csi")
    return web


def offered(web: Web) -> Any:
    return web.get("/api/cameras").json()["cameras"][0]["whep"]


def post(web: Web, path: str, content: bytes, kind: str, **more: str) -> Answer:
    headers = {"Content-Type": kind} | {name.replace("_", "-"): more[name] for name in more}
    connection = http.client.HTTPConnection(web.host, timeout=DEADLINE)
    with contextlib.closing(connection):
        connection.request("POST", path, content, headers)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())


def asks(web: Web, client: str = "", **question: str) -> int:
    given = {"ip": "192.168.0.9", "path": "csi_camera", "protocol": "rtsp", "id": None} | question
    content = json.dumps(given).encode()
    through = {"X_Forwarded_For": client} if client else {}
    return post(web, "/mediamtx/auth", content, "application/json", **through).status


RELAY = {"user": "relay", "password": "publish-me"}
ITSELF = {"user": "web", "password": "web-itself"}


def test_only_the_relays_publish_and_only_cameras(web: Web) -> None:
    assert asks(web, action="publish", **RELAY) == 204
    assert asks(web, action="publish", path="other", **RELAY) == 401
    assert asks(web, action="publish", **RELAY | {"password": "publish-m"}) == 401
    assert asks(web, action="publish", **RELAY | {"user": "other"}) == 401
    assert asks(web, action="publish") == 401
    assert asks(web, action="publish", **ITSELF) == 401


def test_nobody_publishes_before_there_is_a_password(camera: Camera, start: Start) -> None:
    web = Web(start)
    assert asks(web, action="publish", **RELAY | {"password": ""}) == 401


def test_whoever_may_watch_may_read(web: Web) -> None:
    assert asks(web, action="read") == 204
    assert asks(web, action="read", ip="203.0.113.9") == 403
    assert asks(web, action="read", ip="203.0.113.9", **ITSELF) == 204
    assert asks(web, action="read", ip="") == 400


def test_only_web_itself_reaches_the_api(web: Web) -> None:
    assert asks(web, action="api", **ITSELF) == 204
    assert asks(web, action="api", ip="127.0.0.1") == 401
    assert asks(web, action="api", **RELAY) == 401
    for action in ("playback", "metrics", "pprof"):
        assert asks(web, action=action) == 401
        assert asks(web, action=action, **ITSELF) == 401


def test_only_mediamtx_may_ask(web: Web) -> None:
    assert asks(web, "203.0.113.9", action="publish", **RELAY) == 403
    assert asks(web, action="steer") == 422


def test_webrtc_is_offered_while_somebody_pushes(web: Web, api: Api) -> None:
    assert offered(web) is None
    refused = post(web, "/csi_camera/whep", b"offer", "application/sdp")
    assert refused.status == 503
    assert "is its relay running?" in refused.json()["detail"]
    for shape in (NEW, OLD):
        api.path = shape
        wait_until(lambda: offered(web) == "csi_camera/whep", "it is offered")
        api.path = None
        wait_until(lambda: offered(web) is None, "it is offered no more")


def test_open_pages_are_told_when_it_comes_and_goes(web: Web, api: Api) -> None:
    with web.socket("events") as page:
        told = (m for m in messages(page) if isinstance(m, dict) and m["type"] == "offers")
        for shape in (NEW, None):
            api.path = shape
            next(told)
            assert (offered(web) is None) == (shape is None)


def test_whep_goes_through(web: Web, api: Api) -> None:
    api.path = NEW
    wait_until(lambda: offered(web), "it is offered")
    answer = post(web, "/csi_camera/whep", b"offer", "application/sdp")
    assert (answer.status, answer.body) == (201, b"answer")
    assert answer.headers["location"] == "whep/7cb1c1ba"
    assert web.get("/csi_camera/whep/7cb1c1ba", "DELETE").status == 200
    asked = [(method, content) for method, _, _, content in api.seen if method != "GET"]
    assert asked == [("POST", b"offer"), ("DELETE", b"")]
    assert web.get("/usb_camera/whep", "POST").status == 404


def test_a_session_of_whep_ends_with_its_viewers_sign_in(web: Web, api: Api) -> None:
    api.path = NEW
    wait_until(lambda: offered(web), "it is offered")
    shown = {"Cf_Access_Jwt_Assertion": token(exp=time.time() + 1)}
    shown |= {"Cf_Connecting_Ip": "203.0.113.9"}
    assert post(web, "/csi_camera/whep", b"offer", "application/sdp", **shown).status == 201
    ended = ("DELETE", "/csi_camera/whep/7cb1c1ba")
    wait_until(lambda: any(seen[:2] == ended for seen in api.seen), "it has ended")


def test_a_session_of_whep_ends_with_its_viewers_user(web: Web, api: Api, tmp_path: Path) -> None:
    api.path = NEW
    wait_until(lambda: offered(web), "it is offered")
    users = tmp_path / "state" / "users"
    write(users, {"bob": HASHER.hash("correct horse"), "eve": HASHER.hash("correct horse")})
    shown = {"Authorization": "Basic " + b64encode(b"bob:correct horse").decode()}
    shown |= {"X_Forwarded_For": "203.0.113.9"}
    wait_until(lambda: web.get("/api/me", **shown).status == 200, "bob may sign in")
    assert post(web, "/csi_camera/whep", b"offer", "application/sdp", **shown).status == 201
    write(users, {"eve": HASHER.hash("correct horse")})
    ended = ("DELETE", "/csi_camera/whep/7cb1c1ba")
    wait_until(lambda: any(seen[:2] == ended for seen in api.seen), "it has ended")


def test_sessions_that_connect_are_shared_places_too(camera: Camera, start: Start) -> None:
    with contextlib.closing(Api()) as api:
        urls = {f"BEEPER_MEDIAMTX__{name}": api.url for name in ("API", "HLS", "WHEP")}
        web = Web(start, media="mediamtx", max_viewers="5", BEEPER_MEDIAMTX__INTERVAL="0.1", **urls)
        camera.say()
        camera.film()
        web.knows("csi")
        api.path = NEW
        wait_until(lambda: offered(web), "it is offered")

        def offer(address: str) -> int:
            more = {"X_Forwarded_For": address}
            return post(web, "/csi_camera/whep", b"offer", "application/sdp", **more).status

        assert [offer("192.168.7.7") for _ in range(5)] == [201] * 4 + [503]
        assert [offer(f"192.168.7.{n}") for n in (8, 9)] == [201, 201]
        ended = ("DELETE", "/csi_camera/whep/7cb1c1ba")
        wait_until(lambda: any(seen[:2] == ended for seen in api.seen), "one gave way")


def test_hls_goes_through_in_the_name_of_web(web: Web, api: Api) -> None:
    api.path = NEW
    wait_until(lambda: offered(web), "it is offered")
    answer = web.get("/csi_camera/index.m3u8?a=b", Authorization="Basic bWU6bWU=", Cookie="c=d")
    assert answer.status == 200
    assert answer.body == b"/csi_camera/index.m3u8?a=b&cookieCheck=1"
    assert answer.headers["content-type"] == "application/vnd.apple.mpegurl"
    assert "set-cookie" not in answer.headers
    logins = {login for _, path, login, _ in api.seen if "index" in path}
    assert logins == {"Basic d2ViOndlYi1pdHNlbGY="}
    assert web.get("/csi_camera/none.mp4").status == 404
    assert web.get("/csi_camera/..%2fother%2findex.m3u8").status == 404


def test_a_mediamtx_that_is_away_is_said(web: Web, api: Api) -> None:
    api.path = NEW
    wait_until(lambda: offered(web), "it is offered")
    api.close()
    wait_until(lambda: not offered(web), "it is offered no more")
    refused = web.get("/csi_camera/index.m3u8")
    assert refused.status == 503
    assert "MediaMTX" in refused.json()["detail"]


async def test_the_ends_of_sessions_are_bounded_and_forgotten_with_them() -> None:
    ended, done = list[str](), asyncio.Event()

    def answer(request: httpx.Request) -> httpx.Response:
        ended.append(request.url.path)
        if request.url.path == "/last":
            done.set()
        return httpx.Response(200)

    mediamtx = Mediamtx(Options(), [])
    await mediamtx.http.aclose()
    mediamtx.http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    for number in range(MOST + 2):
        mediamtx.end_after(3600, f"http://mediamtx/{number}")
    mediamtx.forget("http://mediamtx/9")
    mediamtx.end_after(0, "http://mediamtx/last")
    await asyncio.wait_for(done.wait(), DEADLINE)
    assert ended == ["/0", "/1", "/last"]
