"""Cloudflare Access: every forged token is refused, a true one has a name."""

import base64
import hashlib
import hmac
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from conftest import Broker, Start, starter, wait_until
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from team import AUDIENCE, KeyServer, claims, public_pem, rsa_key, token
from web_station import Answer, Web, close_of

VISITOR = "203.0.113.9"


@pytest.fixture(scope="module")
def team() -> Iterator[KeyServer]:
    team = KeyServer()
    team.start()
    yield team
    team.stop()


@pytest.fixture(scope="module")
def web(team: KeyServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    broker = Broker(tmp_path_factory.mktemp("mosquitto"))
    broker.start()
    with starter(broker, tmp_path_factory.mktemp("web")) as start:
        yield Web(start, **team.settings(BEEPER_ACCESS__OPERATORS='["olga@example.org"]'))
    broker.stop()


def ask(web: Web, shown: str, path: str = "/api/me") -> Answer:
    """A request as the tunnel hands it on, with a token."""
    return web.get(path, Cf_Access_Jwt_Assertion=shown, Cf_Connecting_Ip=VISITOR)


def segment(part: dict[str, Any] | bytes) -> str:
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(algorithm: str, signature: str = "") -> str:
    """A token with a header of our choice; nobody has signed it."""
    head = {"alg": algorithm, "kid": "first", "typ": "JWT"}
    return f"{segment(head)}.{segment(claims())}.{signature}"


def with_public_key_as_secret(name: str = "HS256") -> str:
    """Signed with what everybody knows, in the hope that it is taken for the shared secret."""
    said = unsigned(name).rstrip(".")
    return f"{said}.{segment(hmac.digest(public_pem('first'), said.encode(), hashlib.sha256))}"


def with_its_own_key() -> str:
    """Brings the key along by which it wants to be verified (RFC 7515 §4.1.3)."""
    key = rsa.generate_private_key(65537, 2048)
    jwk = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return jwt.encode(claims(), key, "RS256", {"kid": "first", "jwk": jwk})


def with_another_body() -> str:
    head, _, signature = token().split(".")
    return f"{head}.{segment(claims(email='olga@example.org'))}.{signature}"


def forgeries() -> dict[str, str]:
    now = int(time.time())
    curve = generate_private_key(SECP256R1())
    return {
        "alg none": unsigned("none"),
        "alg None": unsigned("None"),
        "alg none with a signature": unsigned("none", token().split(".")[2]),
        "HS256 with the public key": with_public_key_as_secret(),
        "ES256 with a key of its own": jwt.encode(claims(), curve, "ES256", {"kid": "curve"}),
        "RS512 with the true key": jwt.encode(
            claims(), rsa_key("first"), "RS512", {"kid": "first"}
        ),
        "PS256 with the true key": jwt.encode(
            claims(), rsa_key("first"), "PS256", {"kid": "first"}
        ),
        "a key of its own under a true id": token("intruder", kid="first"),
        "a key that it brings along": with_its_own_key(),
        "no key id": jwt.encode(claims(), rsa_key("first"), "RS256"),
        "an unknown key id": token("intruder"),
        "a key id that is a path": token("intruder", kid="../../first"),
        "another body": with_another_body(),
        "another audience": token(aud=["somebody else's"]),
        "an audience that begins the same": token(aud=[AUDIENCE[:-1]]),
        "no audience": token(aud=None),
        "another issuer": token(iss="https://foxes.cloudflareaccess.com"),
        "an issuer over http": token(iss="http://hens.cloudflareaccess.com"),
        "no issuer": token(iss=None),
        "expired": token(exp=now - 5, iat=now - 600, nbf=now - 600),
        "never expires": token(exp=None),
        "expires in words": token(exp="tomorrow"),
        "not valid yet": token(nbf=now + 60),
        "issued in the future": token(iat=now + 60),
        "the type of the organisation's cookie": token(type="org"),
        "no type": token(type=None),
        "nobody's": token(email=None),
        "an empty e-mail": token(email=""),
        "an e-mail that is no text": token(email=["bob@example.org"]),
        "the name of a device at home": token(email="local-127.0.0.1@example.org"),
        "only control characters": token(email="\u202e\u200b@example.org"),
        "no token": "nonsense",
        "two dots": "..",
        "not base64": "ä.ö.ü".encode().decode("latin-1"),
        "a body that is a list": jwt.api_jws.encode(
            b"[]", rsa_key("first"), "RS256", {"kid": "first"}
        ),
        "too long": token(padding="x" * 20_000),
    }


def test_a_true_token_has_the_name_before_the_at_sign(web: Web) -> None:
    me = ask(web, token()).json()
    assert (me["name"], me["way"], me["operator"]) == ("bob", "access", False)
    assert me["expires"] > time.time()
    assert ask(web, token(), "/api/cameras").status == 200
    assert ask(web, token(email="olga@example.org")).json()["operator"] is True
    assert ask(web, token(email="olga@elsewhere.org")).json()["operator"] is False


def test_a_service_token_has_its_own_name(web: Web) -> None:
    shown = token(email=None, sub="", common_name="e367826f93b8d71185e03fe518aff3b4.access")
    assert ask(web, shown).json()["name"].endswith(".access")


def test_names_are_cleaned_of_what_nobody_sees(web: Web) -> None:
    assert ask(web, token(email="b\u202eo\x00b\u200d@x")).json()["name"] == "bob"
    assert len(ask(web, token(email="x" * 1000)).json()["name"]) == 64


@pytest.mark.parametrize("how", forgeries())
def test_every_forged_token_is_refused(web: Web, how: str) -> None:
    answer = ask(web, forgeries()[how])
    assert answer.status == 403, answer.body
    assert b"bob" not in answer.body and b"olga" not in answer.body


def test_a_forged_token_is_refused_at_home_too(web: Web) -> None:
    assert ask(web, token()).status == 200
    answer = web.get("/api/me", Cf_Access_Jwt_Assertion=unsigned("none"))
    assert answer.status == 403, "what is wrong does not fall back to the network"


def test_a_true_token_from_an_address_that_is_no_tunnel_is_refused(
    start: Start, team: KeyServer
) -> None:
    web = Web(start, **team.settings(BEEPER_ACCESS__TUNNELS='["192.0.2.1/32"]'))
    answer = web.get("/api/me", Cf_Access_Jwt_Assertion=token())
    assert answer.status == 403 and "access.tunnels" in answer.json()["detail"]


def test_without_a_team_no_token_counts(start: Start) -> None:
    web = Web(start, BEEPER_ACCESS__TUNNELS='["127.0.0.1/32"]')
    answer = ask(web, token())
    assert answer.status == 403 and "access.team_domain" in answer.json()["detail"]


def test_a_websocket_is_closed_when_its_token_expires(web: Web) -> None:
    # Two seconds with a leeway of one: the handshake is over long before.
    shown = token(exp=time.time() + 2)
    headers = {"Cf-Access-Jwt-Assertion": shown, "Cf-Connecting-Ip": VISITOR}
    with web.socket("events", additional_headers=headers) as socket:
        assert close_of(socket) == (4401, "your sign-in has expired")
    assert time.time() >= claims_of(shown)["exp"]


def claims_of(shown: str) -> dict[str, Any]:
    said: dict[str, Any] = jwt.decode(shown, options={"verify_signature": False})
    return said


def test_keys_are_fetched_once_and_an_unknown_id_asks_at_most_once_a_minute(
    start: Start,
) -> None:
    team = KeyServer()
    team.start()
    web = Web(start, **team.settings())
    for _ in range(5):
        assert ask(web, token()).status == 200
    for n in range(5):
        assert ask(web, token("intruder", kid=f"unknown-{n}")).status == 403
    assert team.asked == 1
    team.stop()


def test_a_rotated_key_is_found_and_a_withdrawn_one_forgotten(start: Start) -> None:
    team = KeyServer()
    team.start()
    web = Web(start, **team.settings(BEEPER_ACCESS__KEYS_PAUSE="0.1"))
    assert ask(web, token()).status == 200
    team.publish("second")
    wait_until(lambda: ask(web, token("second")).status == 200, "the new key is known")
    assert ask(web, token()).status == 403
    team.stop()


def test_the_last_good_keys_are_kept_while_the_key_server_is_away_or_talks_nonsense(
    start: Start,
) -> None:
    team = KeyServer()
    team.start()
    timing = {"BEEPER_ACCESS__KEYS_PAUSE": "0.05", "BEEPER_ACCESS__KEYS_MAX_AGE": "0.05"}
    web = Web(start, **team.settings(**timing))
    assert ask(web, token()).status == 200
    answers = ((500, b""), (200, b"nonsense"), (200, b"[" * 9999), (200, b'{"keys": []}'))
    for team.answer in answers:
        team.asked = 0
        wait_until(lambda: ask(web, token()).status == 200 and team.asked, "the server is asked")
        assert ask(web, token()).status == 200
    team.stop()
    assert ask(web, token("intruder", kid="unknown")).status == 403
    assert ask(web, token()).status == 200


def test_nobody_gets_in_by_token_when_keys_were_never_had(start: Start) -> None:
    team = KeyServer()
    web = Web(start, **team.settings(BEEPER_ACCESS__KEYS_PAUSE="0.1"))
    answer = ask(web, token())
    assert answer.status == 403 and "keys cannot be had" in answer.json()["detail"]
    team.start()
    wait_until(lambda: ask(web, token()).status == 200, "the keys are fetched")
    team.stop()


def test_a_key_server_that_hangs_delays_nobody_else(start: Start) -> None:
    team = KeyServer()
    with socket.create_server(("127.0.0.1", team.port)):
        web = Web(start, **team.settings(BEEPER_ACCESS__KEYS_TIMEOUT="0.3"))
        assert ask(web, token()).status == 403
        assert web.get("/api/me").status == 200
