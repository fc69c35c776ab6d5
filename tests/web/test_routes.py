"""Every route of the application, and what a stranger, a viewer and an operator get there."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from bus import Bus
from bus_camera import Camera
from conftest import Broker, starter, wait_until
from fastapi.routing import iter_route_contexts
from starlette.routing import Route
from web.app import make_app
from web.settings import Settings
from web.station import Station
from web_station import Web
from websockets.exceptions import InvalidStatus

# method path stranger viewer operator
#
# A stranger comes from the internet through a trusted proxy; without a password 403, where the
# station has none. What is sent has no body, so that 422 means: let in, and told what is missing.
# Of a WebSocket the code of the handshake.
TABLE = """
GET  /                             403 200 200
GET  /static/{name:path}           200 200 200
GET  /healthz                      200 200 200
GET  /readyz                       200 200 200
POST /mediamtx/auth                422 422 422
GET  /docs                         403 200 200
GET  /openapi.json                 403 200 200
GET  /metrics                      403 200 200
GET  /login                        403 303 303
POST /api/sign-out                 200 200 200
GET  /api/me                       403 200 200
GET  /api/cameras                  403 200 200
POST   /api/heartbeat              403 503 503
POST   /api/user_left              403 503 503
GET    /api/active_users           403 503 503
POST   /api/chat/send              403 400 400
GET    /api/chat/messages          403 503 503
DELETE /api/chat/messages/{id}     403 403 503
GET  /api/stats                    403 503 503
GET  /api/system/metrics           403 503 503
GET  /api/metrics                  403 503 503
GET  /api/history                  403 422 422
GET  /api/history/metrics          403 503 503
GET    /api/stepper/status         403 503 503
POST   /api/stepper/enable         403 403 503
POST   /api/stepper/disable        403 403 503
POST   /api/stepper/home           403 403 503
POST   /api/stepper/step           403 403 422
POST   /api/stepper/open           403 403 503
POST   /api/stepper/close          403 403 503
POST   /api/stepper/abort          403 403 503
GET  /camera/status                403 200 200
GET  /webrtc/config                403 200 200
GET  /webrtc/token                 403 503 503
GET  /camera/snapshot              403 503 503
GET  /camera/snapshot.jpg          403 503 503
GET  /camera/stream.mjpg           403 503 503
GET  /{camera}_camera/index.m3u8     403 200 200
GET  /{camera}_camera/{name}.m3u8    403 200 200
GET  /{camera}_camera/{name}/{file}  403 404 404
POST    /{camera}_camera/whep           403 503 503
OPTIONS /{camera}_camera/whep           403 204 204
OPTIONS /{camera}_camera/whep/{session} 403 204 204
GET     /{camera}_camera/whep/{session} 403 405 405
PATCH   /{camera}_camera/whep/{session} 403 415 415
DELETE  /{camera}_camera/whep/{session} 403 503 503
WS   /live/{camera}                403 101 101
WS   /events                       403 101 101
"""
NAMES = {
    "camera": "csi",
    "id": "0" * 32,
    "session": "none",
    "name:path": "style.css",
    "name": "video",
    "file": "none.mp4",
}
"""What stands for the variable parts of a path."""
WHO = {
    "stranger": {"X-Forwarded-For": "203.0.113.9"},
    "viewer": {},
    "operator": {"X-Remote-User": "olga"},
}


class Row(NamedTuple):
    method: str
    path: str
    codes: tuple[int, ...]

    def asked(self) -> str:
        return re.sub(r"{([^}]*)}", lambda found: NAMES[found[1]], self.path)


ROWS = [
    Row(words[0], words[1], tuple(map(int, words[2:])))
    for words in map(str.split, TABLE.strip().splitlines())
]


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    broker = Broker(tmp_path_factory.mktemp("mosquitto"))
    broker.start()
    with starter(broker, tmp_path_factory.mktemp("web")) as start, Camera(broker.port) as camera:
        camera.say()
        camera.film()
        web = Web(
            start,
            jpeg_wait="0.2",
            BEEPER_ACCESS__USER_HEADER="X-Remote-User",
            BEEPER_ACCESS__OPERATORS='["olga"]',
        )
        web.knows("csi")
        wait_until(lambda: web.get("/readyz").status == 200, "web is ready")
        yield web
    broker.stop()


async def test_the_table_has_every_route() -> None:
    settings = Settings()
    app = make_app(Station(Bus(settings, "web", "0"), settings), settings)
    found = set()
    for route in iter_route_contexts(app.routes):
        methods = route.methods if isinstance(route.original_route, Route) else {"WS"}
        found |= {(method, str(route.path)) for method in methods or {"WS"}}
    assert found == {row[:2] for row in ROWS}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.method} {row.path}")
def test_everybody_gets_what_the_table_says(web: Web, row: Row) -> None:
    assert tuple(code(web, row, headers) for headers in WHO.values()) == row.codes


@pytest.mark.parametrize("row", [row for row in ROWS if row.method == "GET"], ids=Row.asked)
def test_head_is_answered_as_get_without_the_content(web: Web, row: Row) -> None:
    for who, expected in zip(WHO.values(), row.codes, strict=True):
        said = {name.replace("-", "_"): value for name, value in who.items()}
        answer = web.get(row.asked(), "HEAD", **said)
        assert (answer.status, answer.body) == (expected, b"")


def code(web: Web, row: Row, headers: dict[str, str]) -> int:
    """The answer's status; of a WebSocket that of the handshake."""
    if row.method != "WS":
        said = {name.replace("-", "_"): value for name, value in headers.items()}
        return web.get(row.asked(), row.method, **said).status
    try:
        with web.socket(row.asked().lstrip("/"), additional_headers=headers):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_there_is_nothing_beside_the_table(web: Web, method: str) -> None:
    for path in ("/redoc", "/docs/", "/static", "/api", "/api/", "//", "/.env", "/metrics/x"):
        answer = web.get(path, method, X_Forwarded_For="203.0.113.9")
        assert answer.status in (404, 405), path
    for row in ROWS:
        methods = {other.method for other in ROWS if other.path == row.path}
        if row.method != "WS" and method not in methods:
            assert web.get(row.asked(), method).status == 405, row.path
