"""What every request passes: the page's origin, sizes, and how often one person may ask."""

from collections.abc import Iterator

import pytest
from conftest import DEADLINE, Broker, Start, starter
from web_station import Answer, Web
from websockets.exceptions import InvalidStatus

ELSEWHERE = "https://example.com"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    broker = Broker(tmp_path_factory.mktemp("mosquitto"))
    broker.start()
    with starter(broker, tmp_path_factory.mktemp("web")) as start:
        yield Web(start, origins=f'["{ELSEWHERE}"]', max_body="2048")
    broker.stop()


def post(web: Web, path: str = "/api/me", **headers: str) -> Answer:
    return web.get(path, "POST", **headers)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "file://", "http://127.0.0.1", "://", "\u00e4"]
)
def test_a_page_of_another_origin_changes_nothing(web: Web, method: str, origin: str) -> None:
    answer = web.get("/api/me", method, Origin=origin)
    assert answer.status == 403 and "web.origins" in answer.json()["detail"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_the_stations_own_page_and_programs_are_let_through(web: Web) -> None:
    for headers in ({}, {"Origin": f"http://{web.host}"}, {"Origin": ELSEWHERE}):
        assert post(web, **headers).status == 405, "past the check, to a route that takes no POST"
    named = {"X_Forwarded_For": "127.0.0.1", "X_Forwarded_Host": "hens.example"}
    assert post(web, Origin="https://hens.example", **named).status == 405


def test_a_page_of_another_origin_gets_no_websocket(web: Web) -> None:
    for path in ("events", "live/csi"):
        with (
            pytest.raises(InvalidStatus) as refused,
            web.socket(path, origin="https://evil.example"),
        ):
            pass
        assert refused.value.response.status_code == 403


def test_other_origins_may_embed_pictures_and_read_answers(web: Web) -> None:
    embedded = "cross-origin-resource-policy"
    for path in ("/camera/stream.mjpg", "/camera/snapshot.jpg", "/csi_camera/index.m3u8"):
        assert web.get(path).headers[embedded] == "cross-origin"
    for path in ("/", "/api/me", "/static/style.css", "/camera/", "/nothing", "/api/camera/x"):
        assert web.get(path).headers[embedded] == "same-site"
    answer = web.get("/api/me", Origin=ELSEWHERE)
    assert answer.headers["access-control-allow-origin"] == ELSEWHERE
    other = web.get("/api/me", Origin="https://evil.example")
    assert "access-control-allow-origin" not in other.headers


def test_a_body_that_is_too_long_is_refused(web: Web) -> None:
    assert post(web, Content_Length="2049").status == 413
    answer = post(web, "/nothing", Content_Length=str(1 << 60))
    assert answer.status == 413
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_who_asks_too_often_is_told_how_long_to_wait_and_nobody_else(start: Start) -> None:
    web = Web(start, BEEPER_ACCESS__RATE="0.01", BEEPER_ACCESS__BURST="3")
    answers = [web.get("/api/me") for _ in range(5)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429, 429]
    assert 60 < int(answers[-1].headers["retry-after"]) <= 100
    assert "wait" in answers[-1].json()["detail"]
    assert web.get("/api/me", X_Forwarded_For="192.168.1.7").status == 200
    assert web.get("/camera/stream.mjpg?camera=none").status == 404, "video has no limit"
    with web.socket("events") as socket:
        assert socket.recv(timeout=DEADLINE)


def test_diagnostics_are_for_the_networks_that_the_configuration_names(start: Start) -> None:
    web = Web(start, BEEPER_ACCESS__DIAGNOSTICS='["192.168.1.0/24"]')
    for path in ("/docs", "/openapi.json", "/metrics"):
        answer = web.get(path)
        assert answer.status == 403 and "access.diagnostics" in answer.json()["detail"]
        assert web.get(path, X_Forwarded_For="192.168.1.7").status == 200
        assert web.get(path, X_Forwarded_For="192.168.2.7").status == 403
