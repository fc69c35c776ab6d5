"""What a request may begin with: its line, its host and its headers, and how much of them."""

import asyncio
import socket
from collections.abc import Iterator

import http_attacks
import psutil
import pytest
from conftest import DEADLINE, Broker, starter
from http_attacks import HOST, begun, get
from web_station import Web, client_frame

LINE = b"GET /static/style.css HTTP/1.1\r\n"
MEGABYTES = 20
GROWTH = 12e6
"""Bytes by which memory may be more: of what is poured in, nothing is kept."""

HEADS = [
    (LINE + b"\r\n", 400),
    (LINE + b"Host: a\r\nHost: a\r\n\r\n", 400),
    (LINE + b"Host: a b\r\n\r\n", 400),
    (LINE + b"Host: a/b\r\n\r\n", 400),
    (LINE + b"Host: user@a\r\n\r\n", 400),
    (LINE + b"Host: [::1\r\n\r\n", 400),
    (LINE + b"Host: a:port\r\n\r\n", 400),
    (LINE + b"Host:\r\n\r\n", 200),
    (b"GET /static/style.css HTTP/1.0\r\n\r\n", 200),
    (b"GET /static/style.css HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    (LINE + b"Host: beeper_web.local:8080\r\n\r\n", 200),
    (LINE + b"Host: [fe80::1]:8080\r\n\r\n", 200),
    (b"GET http://pi.local/static/style.css HTTP/1.1\r\nHost: b\r\n\r\n", 200),
    (b"GET http://pi.local HTTP/1.1\r\nHost: pi.local\r\n\r\n", 200),
    (b"GET http://pi.local?a=b HTTP/1.1\r\nHost: pi.local\r\n\r\n", 200),
    (b"GET http://evil.example/ HTTP/1.1\r\nHost: pi.local\r\n\r\n", 403),
    (b"GET http:///static/style.css HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"GET ftp://pi.local/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"GET static HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 404),
    (b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 405),
    (b"TRACE /api/me HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    (b"PROPFIND /api/me HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    (b"FEED /hens HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    (b"\0" * 64, 400),
    (b"hello\r\n\r\n", 400),
    (LINE + b"Host: a\r\nX\0Y: b\r\n\r\n", 400),
    (LINE + b"Host: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    (LINE + b"Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    (LINE + b"Host: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 200),
    (LINE + b"Host: a\r\nConnection: Upgrade\r\nUpgrade: \xff\xfe\r\n\r\n", 200),
    (LINE + b"Host: a\r\n" + b"a: b\r\n" * 99 + b"\r\n", 200),
    (LINE + b"Host: a\r\n" + b"a: b\r\n" * 100 + b"\r\n", 431),
    (LINE + b"Host: a\r\nX: " + b"x" * 30_000 + b"\r\n\r\n", 200),
    (LINE + b"Host: a\r\nX: " + b"x" * 40_000 + b"\r\n\r\n", 431),
    (b"GET /static/style.css?" + b"x" * 8000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 200),
    (b"GET /static/style.css?" + b"x" * 8200 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
]
UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
KEY = "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
CHUNKED = begun("POST", "/api/chat/send", "Transfer-Encoding: chunked\r\n\r\n")
ENDLESS = {
    "header lines": (begun(), b"a: b\r\n" * 10_000, "431"),
    "long header lines": (begun(), b"a: " + b"x" * 2000 + b"\r\n", "431"),
    "one header": (begun(more="X-A: "), b"x" * 60_000, "431"),
    "one header's name": (begun(), b"x" * 60_000, "431"),
    "empty lines before the request": (b"", b"\r\n" * 30_000, "431"),
    "the request line": (b"GET /", b"x" * 60_000, "414"),
    "a chunk's extension": (CHUNKED + b"1;", b"x" * 60_000, "431"),
    "trailers": (CHUNKED + b"0\r\n", b"a: b\r\n" * 10_000, "431"),
    "a chunked body": (CHUNKED, b"ea60\r\n" + b"x" * 60_000 + b"\r\n", "413"),
    "a WebSocket's headers": (begun(more=UPGRADE + KEY), b"a: b\r\n" * 10_000, "431"),
}


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    broker = Broker(tmp_path_factory.mktemp("mosquitto"))
    broker.start()
    with starter(broker, tmp_path_factory.mktemp("web")) as start:
        yield Web(start, head_wait="3")
    broker.stop()


def talk(web: Web, said: bytes, leave: bool = True) -> bytes:
    """All that the server answers until it closes, or to `leave` its connection open for more."""
    with socket.create_connection(("127.0.0.1", web.port), DEADLINE) as about:
        about.sendall(said)
        answer = b""
        while part := about.recv(65_536):
            answer += part
            head, end, body = answer.partition(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
            if leave and end and len(body) >= int(length or 0):
                break
        return answer


@pytest.mark.parametrize(("said", "status"), HEADS, ids=range(len(HEADS)))
def test_a_head_is_answered_with_its_code_in_one_line(web: Web, said: bytes, status: int) -> None:
    answer = talk(web, said)
    assert answer[9:12] == str(status).encode(), answer[:200]
    if status >= 400:
        assert answer.partition(b"\r\n\r\n")[2].count(b"\n") <= 1
    assert "Traceback" not in web.service.log()


@pytest.mark.parametrize("what", ENDLESS)
def test_what_never_ends_is_refused_while_it_comes(web: Web, what: str) -> None:
    first, piece, status = ENDLESS[what]
    process = psutil.Process(web.service.process.pid)
    before = process.memory_info().rss
    became = asyncio.run(http_attacks.pour(web.port, first, piece, MEGABYTES))
    assert became[status] == 1, became
    assert process.memory_info().rss - before < GROWTH
    assert web.get("/healthz").status == 200


def test_pipelined_requests_are_all_answered_in_order(web: Web) -> None:
    """More of them than anybody may have answered at once, in one piece."""
    asked = b"".join(get(f"/static/nothing{number}") for number in range(500))
    last = get("/static/nothing-more", "Connection: close\r\n")
    answer = talk(web, asked + last, leave=False)
    places = [answer.find(b"nothing%d'" % number) for number in range(500)]
    assert min(places) > 0 and places == sorted(places)
    assert answer.count(b"HTTP/1.1 404") == 501


def test_a_bad_request_waits_for_the_answers_before_it(web: Web) -> None:
    answer = talk(web, get("/static/style.css") + b"FEED /hens HTTP/1.1\r\n\r\n", leave=False)
    assert answer.startswith(b"HTTP/1.1 200") and answer.count(b"HTTP/1.1") == 1


def test_a_trailer_is_no_header(web: Web) -> None:
    asked = begun("GET", "/api/me", "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
    answer = talk(web, asked + b"0\r\nX-Forwarded-For: 10.9.9.9\r\n\r\n", leave=False)
    assert b"local-127.0.0.1" in answer, answer


def test_the_host_of_the_target_counts(web: Web) -> None:
    asked = f"GET http://evil.example/api/me HTTP/1.1\r\n{HOST}\r\n".encode()
    answer = talk(web, asked)
    assert answer.startswith(b"HTTP/1.1 403") and b"evil.example" in answer


def test_a_websocket_in_absolute_form_is_opened(web: Web) -> None:
    line = f"GET http://127.0.0.1:{web.port}/events HTTP/1.1\r\n{HOST}{UPGRADE}{KEY}\r\n"
    with socket.create_connection(("127.0.0.1", web.port), DEADLINE) as about:
        about.sendall(line.encode())
        assert about.recv(100).startswith(b"HTTP/1.1 101")
        about.sendall(client_frame(8, b"\x03\xe8"))


def test_a_websocket_without_a_host_is_refused(web: Web) -> None:
    answer = talk(web, f"GET /events HTTP/1.1\r\n{UPGRADE}{KEY}\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 400")
