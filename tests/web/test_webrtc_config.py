"""What pages are given for WebRTC: credentials that a real coturn takes, tokens that only watch."""

import asyncio
import base64
import hashlib
import hmac
import json
import re
import shutil
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from bus.turn import credentials
from bus_camera import Camera
from conftest import DEADLINE, Broker, Start
from coturn import Coturn
from web_station import Answer, Web

KEY = "APIkey"
SECRET = "a-secret-of-more-than-thirty-two-characters"  # noqa: S105 (of this test only)
TURN_SECRET = "what-coturn-and-the-station-share"  # noqa: S105
LIVEKIT = {
    "BEEPER_LIVEKIT__URL": "wss://livekit.example.org/here",
    "BEEPER_LIVEKIT__KEY": KEY,
    "BEEPER_LIVEKIT__SECRET": SECRET,
}
URLS = ["stun:turn.example.org:3478", "turn:turn.example.org:3478?transport=udp"]
TURN = {"BEEPER_TURN__URLS": json.dumps(URLS), "BEEPER_TURN__SECRET": TURN_SECRET}
UNSET = "LiveKit is not configured"


def claims(answer: Answer) -> dict[str, Any]:
    """What a token says, its signature checked."""
    assert answer.status == 200, answer.body
    found: dict[str, Any] = jwt.decode(answer.json()["token"], SECRET, algorithms=["HS256"])
    return found


@pytest.fixture
def web(camera: Camera, start: Start) -> Web:
    camera.say()
    camera.film()
    web = Web(start, BEEPER_TURN__TTL="3600", **LIVEKIT, **TURN)
    web.knows("csi")
    return web


def test_a_token_lets_its_viewer_watch_one_room_and_do_nothing_else(web: Web) -> None:
    answer = web.get("/webrtc/token?camera=csi")
    found = claims(answer)
    assert found["iss"] == KEY
    assert found["video"] == {
        "room": "csi_camera",
        "roomJoin": True,
        "canSubscribe": True,
        "canPublish": False,
        "canPublishData": False,
        "canPublishSources": [],
        "canUpdateOwnMetadata": False,
        "hidden": True,
    }
    assert set(found) == {"iss", "sub", "name", "nbf", "exp", "video"}
    assert answer.headers["Cache-Control"] == "no-store"
    about = answer.json()
    assert (about["room"], about["host"]) == ("csi_camera", "wss://livekit.example.org/here")
    assert (about["identity"], about["expires"]) == (found["sub"], found["exp"])


def test_it_ends_after_its_time(camera: Camera, start: Start) -> None:
    camera.film()
    web = Web(start, BEEPER_LIVEKIT__TTL="30", **LIVEKIT)
    web.knows("csi")
    found = claims(web.get("/webrtc/token"))
    assert found["exp"] - found["nbf"] == 40
    assert found["nbf"] <= time.time() < found["exp"] <= time.time() + 30


def test_two_tabs_of_one_viewer_have_two_identities_that_nobody_chooses(web: Web) -> None:
    asked = "identity=somebody-else&room=secret&role=publisher&name=x&canPublish=true"
    both = [claims(web.get(f"/webrtc/token?camera=csi&{asked}")) for _ in range(2)]
    assert both[0]["sub"] != both[1]["sub"]
    for found in both:
        assert re.fullmatch(r"local-127\.0\.0\.1-[0-9a-f]{8}", found["sub"])
        assert found["name"] == "local-127.0.0.1"
        assert found["video"]["room"] == "csi_camera"
        assert found["video"]["canPublish"] is False


def test_a_room_has_one_camera_and_strangers_have_none(
    broker: Broker, camera: Camera, start: Start
) -> None:
    camera.film()
    settings = {"BEEPER_LIVEKIT__CAMERAS": '["usb"]', "BEEPER_LIVEKIT__ROOM": "pi-{camera}"}
    web = Web(start, **LIVEKIT, **settings)
    web.knows("csi")
    refused = web.get("/webrtc/token?camera=csi")
    assert refused.status == 404 and "livekit.cameras" in refused.json()["detail"]
    assert web.get("/webrtc/token?camera=nothing").status == 404
    with Camera(broker.port, "usb") as usb:
        usb.film()
        web.knows("usb")
        assert claims(web.get("/webrtc/token?camera=usb"))["video"]["room"] == "pi-usb"
    offered = {c["name"]: c["protocols"] for c in web.get("/api/cameras").json()["cameras"]}
    assert "livekit" in offered["usb"] and "livekit" not in offered["csi"]


@pytest.mark.parametrize(
    ("without", "says"),
    [
        ("BEEPER_LIVEKIT__URL", "livekit.url"),
        ("BEEPER_LIVEKIT__KEY", "livekit.key is not set"),
        ("BEEPER_LIVEKIT__SECRET", "livekit.secret is not set"),
    ],
)
def test_what_is_not_configured_is_said(
    camera: Camera, start: Start, without: str, says: str
) -> None:
    camera.film()
    web = Web(start, **{k: v for k, v in LIVEKIT.items() if k != without})
    web.knows("csi")
    refused = web.get("/webrtc/token")
    assert refused.status == 503
    assert refused.json()["detail"].startswith(UNSET) and says in refused.json()["detail"]
    config = web.get("/webrtc/config").json()
    assert (config["host"], config["disabled"]) == (None, True)
    assert says in config["notes"][0]


def test_a_secret_comes_from_a_file_and_a_bad_one_is_said(
    camera: Camera, start: Start, tmp_path: Path
) -> None:
    camera.film()
    file = tmp_path / "secret"
    variables = LIVEKIT | {"BEEPER_LIVEKIT__SECRET_FILE": str(file)}
    web = Web(start, **variables)
    web.knows("csi")
    refused = web.get("/webrtc/token").json()["detail"]
    assert "No such file" in refused and str(file) not in refused
    file.write_text("short\n", encoding="utf-8")
    assert "shorter than 32" in web.get("/webrtc/token").json()["detail"]
    file.write_text(f"{SECRET}\n", encoding="utf-8")
    assert claims(web.get("/webrtc/token"))["iss"] == KEY


def test_ice_servers_come_with_credentials_that_end(web: Web) -> None:
    answer = web.get("/webrtc/config")
    assert answer.headers["Cache-Control"] == "no-store"
    config = answer.json()
    stun, turn = config["iceServers"]
    assert stun == {"urls": URLS[:1]}
    assert turn["urls"] == URLS[1:]
    expiry, _, identity = turn["username"].partition(":")
    assert int(expiry) == config["expires"]
    assert 3500 < config["expires"] - time.time() <= 3600
    [camera] = web.get("/api/cameras").json()["cameras"]
    assert [server["urls"] for server in camera["ice_servers"]] == [URLS[:1], URLS[1:]]
    assert identity == "local-127.0.0.1"
    mac = hmac.new(TURN_SECRET.encode(), turn["username"].encode(), hashlib.sha1).digest()
    assert base64.b64decode(turn["credential"]) == mac
    assert (config["host"], config["disabled"], config["notes"]) == (
        LIVEKIT["BEEPER_LIVEKIT__URL"],
        False,
        [],
    )


@pytest.mark.skipif(shutil.which("turnserver") is None, reason="coturn is not installed")
async def test_a_real_coturn_takes_these_credentials_and_no_others(
    start: Start, tmp_path: Path
) -> None:
    coturn = Coturn(tmp_path, TURN_SECRET)
    await coturn.ready()
    try:
        web = await asyncio.to_thread(Web, start, **TURN)
        config = (await asyncio.to_thread(web.get, "/webrtc/config")).json()
        username, credential = (config["iceServers"][1][k] for k in ("username", "credential"))
        relayed = await coturn.allocate(username, credential)
        assert relayed and 49160 <= relayed[1] <= 49200
        assert await coturn.allocate(username, credential[::-1]) is None
        assert await coturn.allocate(f"{config['expires'] + 60}:x", credential) is None
        old = credentials(TURN_SECRET, "x", int(time.time()) - 60)
        assert await coturn.allocate(old.username, old.credential) is None
    finally:
        coturn.close()


def test_without_its_secret_there_is_no_turn_and_the_page_is_told(
    broker: Broker, start: Start
) -> None:
    config = Web(start, **{k: v for k, v in TURN.items() if "SECRET" not in k})
    about = config.get("/webrtc/config").json()
    assert about["iceServers"] == [{"urls": URLS[:1]}]
    assert "turn.secret" in about["notes"][0]
    assert about["expires"] is None


def test_nothing_that_web_says_has_a_secret_in_it(web: Web) -> None:
    paths = ["/webrtc/config", "/webrtc/token", "/api/cameras", "/", "/healthz", "/metrics"]
    for path in [*paths, "/openapi.json", "/docs", "/camera/status", "/webrtc/token?camera=no"]:
        answer = web.get(path)
        for secret in (SECRET, TURN_SECRET):
            assert secret.encode() not in answer.body + str(answer.headers).encode()
    for secret in (SECRET, TURN_SECRET):
        assert secret not in web.service.log()


def test_the_page_may_connect_to_this_livekit_and_nowhere_else(web: Web, start: Start) -> None:
    def connect(web: Web, **headers: str) -> list[str]:
        policy = web.get("/", **headers).headers["Content-Security-Policy"]
        found = re.search(r"connect-src ([^;]*)", policy)
        assert found
        return found[1].split()

    here = ["'self'", f"ws://{web.host}", f"wss://{web.host}"]
    livekit = ["wss://livekit.example.org", "https://livekit.example.org"]
    assert connect(web) == here + livekit
    assert connect(web, Host="x_y") == here[:1] + livekit, "what is no name stands in no policy"
    assert web.get("/", Host="x; script-src *").status == 400
    plain = Web(start)
    assert connect(plain) == ["'self'", f"ws://{plain.host}", f"wss://{plain.host}"]


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("BEEPER_LIVEKIT__URL", "https://livekit.example.org", "livekit.url"),
        ("BEEPER_LIVEKIT__URL", "wss://x y; script-src *", "livekit.url"),
        ("BEEPER_LIVEKIT__ROOM", "plastination", "must have {camera} in it"),
        ("BEEPER_LIVEKIT__CAMERAS", '["CSI cam"]', "livekit.cameras"),
        ("BEEPER_TURN__URLS", '["turn://x"]', "turn.urls"),
        ("BEEPER_TURN__TTL", "0", "turn.ttl"),
    ],
)
def test_a_wrong_setting_stops_it_with_one_line(
    start: Start, variable: str, value: str, says: str
) -> None:
    service = start("web", **{variable: value})
    assert service.process.wait(DEADLINE) == 1
    assert says in service.log() and len(service.log().splitlines()) == 1
