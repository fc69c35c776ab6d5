"""Video ends when the sign-in of whoever watches does."""

import asyncio
import contextlib
import http.client
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from bus_camera import Camera
from conftest import DEADLINE, Start, wait_until
from team import KeyServer, token
from web.passwords import HASHER, write
from web_station import Web
from webrtc_viewer import Sessions, Viewer, with_webrtc

VISITOR = "203.0.113.9"
PICTURE = b"\xff\xd8" + bytes(20_000) + b"\xff\xd9"


@pytest.fixture
def team() -> Iterator[KeyServer]:
    team = KeyServer()
    team.start()
    yield team
    team.stop()


def sign_in(seconds: float) -> dict[str, str]:
    """The headers of somebody whose token lasts so long."""
    shown = token(exp=time.time() + seconds)
    return {"Cf_Access_Jwt_Assertion": shown, "Cf_Connecting_Ip": VISITOR}


async def test_a_webrtc_session_ends_with_its_sign_in(
    start: Start, camera: Camera, team: KeyServer
) -> None:
    web = with_webrtc(start, camera, **team.settings())
    sessions = Sessions(camera)
    viewer = Viewer(web)
    viewer.headers = sign_in(seconds=4)
    async with viewer:
        await viewer.see(3)
        await asyncio.to_thread(wait_until, lambda: sessions.now == 0, "it has ended")
        viewer.headers = sign_in(seconds=-5)
        assert (await viewer.post("v=0")).status == 403


async def test_a_webrtc_session_ends_with_its_user(
    start: Start, camera: Camera, tmp_path: Path
) -> None:
    users = tmp_path / "state" / "users"
    hashes = {name: HASHER.hash("correct horse") for name in ("bob", "eve")}
    write(users, hashes)
    web = with_webrtc(start, camera)
    sessions = Sessions(camera)
    bob, eve = Viewer(web), Viewer(web)
    for viewer, name in ((bob, "bob"), (eve, "eve")):
        told = b64encode(f"{name}:correct horse".encode()).decode()
        viewer.headers = {"Authorization": f"Basic {told}", "X_Forwarded_For": VISITOR}
    async with bob, eve:
        await bob.see(3)
        await eve.see(3)
        # Whoever comes after a restart of web judges what was begun before it.
        web.service.kill()
        write(users, {"eve": hashes["eve"]})
        again = Web(start)
        await asyncio.to_thread(wait_until, lambda: sessions.now == 1, "bob's has ended")
        await eve.see(len(eve.pictures) + 10)
        assert again.get("/healthz").status == 200


def test_a_stream_of_jpegs_ends_with_its_sign_in(
    start: Start, camera: Camera, team: KeyServer
) -> None:
    web = Web(start, **team.settings())
    wait_until(lambda: web.get("/camera/status", **sign_in(60)).json()["cameras"], "the camera")
    over = threading.Event()
    maker = threading.Thread(target=develop, args=(camera, over))
    maker.start()
    stream = http.client.HTTPConnection(web.host, timeout=DEADLINE)
    headers = {name.replace("_", "-"): value for name, value in sign_in(seconds=2).items()}
    with contextlib.closing(stream):
        stream.request("GET", "/camera/stream.mjpg?camera=csi", headers=headers)
        answer = stream.getresponse()
        assert answer.status == 200
        assert answer.read().count(PICTURE) > 1
    over.set()
    maker.join()


def develop(camera: Camera, over: threading.Event) -> None:
    """Make pictures, as `stills` does."""
    while not over.wait(0.1):
        camera.jpeg(PICTURE)
