"""Refused requests are counted for each address, and end in 429 before anything is asked."""

from functools import partial

import pytest
from conftest import Start, wait_until
from fastapi import HTTPException
from web.limit import MOST, Limit
from web_station import Web
from websockets.exceptions import InvalidStatus

FEW = {"BEEPER_ACCESS__REFUSED_RATE": "0.01", "BEEPER_ACCESS__REFUSED_BURST": "5"}
HEADER = {"BEEPER_ACCESS__USER_HEADER": "X-Remote-User"}


def status(web: Web, path: str, client: str, method: str = "GET", **headers: str) -> int:
    """The answer's status to somebody whom a trusted proxy names."""
    return web.get(path, method, X_Forwarded_For=client, **headers).status


def handshake(web: Web, client: str) -> int:
    """The status with which a WebSocket is opened or refused."""
    try:
        with web.socket("events", additional_headers={"X-Forwarded-For": client}):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def test_what_is_refused_counts_and_what_is_answered_does_not(start: Start) -> None:
    web = Web(start, **FEW, **HEADER)
    someone, other, stranger = "192.168.1.7", "192.168.1.8", "203.0.113.9"
    assert [status(web, "/api/me", someone) for _ in range(20)] == [200] * 20
    assert [status(web, "/nothing", someone) for _ in range(7)] == [404] * 5 + [429] * 2
    assert status(web, "/api/me", someone) == status(web, "/", someone, "HEAD") == 429
    assert handshake(web, someone) == 429 and handshake(web, other) == 101
    answer = web.get("/api/me", X_Forwarded_For=someone)
    assert int(answer.headers["retry-after"]) > 60 and "wait" in answer.json()["detail"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert status(web, "/api/me", someone, X_Remote_User="bob") == 200, "a proxy vouches for bob"
    assert status(web, "/api/me", other) == 200

    assert [handshake(web, stranger) for _ in range(7)] == [403] * 5 + [429] * 2
    lines = [line for line in web.service.log().splitlines() if "too many refused" in line]
    assert [line.split(" WARNING ")[1].split(":")[0] for line in lines] == [someone, stranger]


REFUSED = [
    ("GET", "/nothing", {}, 404),
    ("POST", "/api/me", {}, 405),
    ("POST", "/api/me", {"Origin": "https://evil.example"}, 403),
    ("GET", "/api/history", {}, 422),
    ("POST", "/api/heartbeat", {"Content-Length": "99999999"}, 413),
    ("GET", "/api/me", {"X-Remote-User": "local-10.0.0.1"}, 403),
    ("GET", "/api/me", {"CF-Ray": "1"}, 403),
    ("GET", "/api/me", {"X-Forwarded-For": "rubbish"}, 400),
    ("GET", "/api/me", {"X-Forwarded-For": ",".join(["10.0.0.1"] * 33)}, 400),
]


def test_every_refusal_counts(start: Start) -> None:
    web = Web(start, **FEW, **HEADER)
    for number, (method, path, headers, code) in enumerate(REFUSED, 2):
        web.source = (f"127.0.1.{number}", 0)
        said = {name.replace("-", "_"): value for name, value in headers.items()}
        codes = [web.get(path, method, **said).status for _ in range(7)]
        assert codes == [code] * 5 + [429] * 2, (method, path, headers)
    web.source = None
    assert web.get("/healthz").status == 200


def test_ipv6_is_counted_by_network_and_ipv4_within_it_by_address(start: Start) -> None:
    web = Web(start, **FEW)
    one, same, other = "fd00::1", "fd00::ffff:2", "fd00:0:0:1::1"
    assert [status(web, "/nothing", one) for _ in range(6)][-1] == 429
    assert status(web, "/healthz", same) == 429 and status(web, "/healthz", other) == 200
    assert [status(web, "/nothing", "::ffff:10.0.0.1") for _ in range(6)][-1] == 429
    assert status(web, "/healthz", "10.0.0.1") == 429
    assert status(web, "/healthz", "::ffff:10.0.0.2") == 200


def test_as_many_hops_as_are_allowed_count(start: Start) -> None:
    web = Web(start, BEEPER_ACCESS__MAX_HOPS="2")
    assert status(web, "/api/me", "10.0.0.1, 10.0.0.2") == 200
    answer = web.get("/api/me", X_Forwarded_For="10.0.0.1, 10.0.0.2, 10.0.0.3")
    assert answer.status == 400 and "max_hops" in answer.json()["detail"]


def test_an_offender_may_ask_again_after_a_while(start: Start) -> None:
    web = Web(start, BEEPER_ACCESS__REFUSED_RATE="2", BEEPER_ACCESS__REFUSED_BURST="1")
    assert {status(web, "/nothing", "10.0.0.1") for _ in range(5)} == {404, 429}
    wait_until(partial(answered, web), "it is let in again")


def answered(web: Web) -> bool:
    return status(web, "/healthz", "10.0.0.1") == 200


def test_buckets_are_forgotten_the_oldest_first() -> None:
    limit = Limit(0.001, 1, "requests")
    assert limit.spend("first") and not limit.spend("first")
    for number in range(MOST - 1):
        assert limit.spend(str(number))
    with pytest.raises(HTTPException):
        limit.check("first")
    assert limit.spend("one more")
    limit.check("first")
