"""A right that ends, ends what it has opened: sockets, streams, and the rights on them."""

import contextlib
import http.client
import os
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bus_camera import Camera
from conftest import Start, wait_until
from web.identities import Identities
from web.passwords import HASHER, write
from web.session import NAME, SIGNED_OUT
from web.settings import Access, Settings
from web_station import Answer, Web, close_of, messages
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection

PASSWORD = "correct horse"
STRANGER = "203.0.113.9"
PICTURE = b"\xff\xd8" + bytes(2000) + b"\xff\xd9"
HASH = HASHER.hash(PASSWORD)


def basic(name: str, password: str = PASSWORD) -> str:
    return "Basic " + b64encode(f"{name}:{password}".encode()).decode()


def signed_in(web: Web, name: str = "bob") -> dict[str, str]:
    """The headers of a browser that has signed in elsewhere."""
    answer = web.get("/api/me", Authorization=basic(name), X_Forwarded_For=STRANGER)
    assert answer.status == 200, answer.body
    return {"Cookie": cookies(answer)[NAME], "X-Forwarded-For": STRANGER}


def cookies(answer: Answer) -> dict[str, str]:
    """What an answer sets, by name."""
    set_ = [value.split(";")[0] for value in answer.headers.get_all("set-cookie") or []]
    return {one.partition("=")[0]: one for one in set_}


@pytest.fixture
def users(tmp_path: Path) -> Path:
    path = tmp_path / "state" / "users"
    write(path, {name: HASHER.hash(PASSWORD) for name in ("bob", "olga", "eve")})
    return path


@pytest.fixture
def web(users: Path, camera: Camera, start: Start) -> Web:
    camera.say()
    camera.film()
    web = Web(start, unanswered="600", BEEPER_ACCESS__OPERATORS='["olga"]')
    web.knows("csi")
    return web


def remove(users: Path, name: str) -> None:
    """`make user ACTION=remove NAME=…`."""
    command = [sys.executable, "-m", "web.users", "remove", name]
    environment = {"BEEPER_STATE_DIR": str(users.parent), "PATH": os.environ["PATH"]}
    subprocess.run(command, env=environment, check=True, capture_output=True)


def change(users: Path, name: str) -> None:
    """`make user NAME=…` with another password."""
    command = [sys.executable, "-m", "web.users", "add", name]
    environment = {"BEEPER_STATE_DIR": str(users.parent), "PATH": os.environ["PATH"]}
    subprocess.run(
        command, env=environment, check=True, capture_output=True, input=b"another horse\n"
    )


@contextlib.contextmanager
def jpegs(web: Web, camera: Camera, headers: dict[str, str]) -> Iterator[http.client.HTTPResponse]:
    """A stream of JPEGs that has begun."""
    over = threading.Event()

    def develop() -> None:
        while not over.wait(0.05):
            camera.jpeg(PICTURE)

    maker = threading.Thread(target=develop)
    maker.start()
    stream = http.client.HTTPConnection(web.host, timeout=30)
    try:
        stream.request("GET", "/camera/stream.mjpg?camera=csi", headers=headers)
        answer = stream.getresponse()
        assert answer.status == 200
        yield answer
    finally:
        over.set()
        maker.join()
        stream.close()


@pytest.mark.parametrize("how", [remove, change])
def test_everything_of_a_user_ends_when_he_is_removed_or_his_password_changes(
    web: Web, camera: Camera, users: Path, how: Callable[[Path, str], None]
) -> None:
    bob, eve = signed_in(web), signed_in(web, "eve")
    with (
        web.socket("events", additional_headers=bob) as page,
        web.socket("live/csi", additional_headers=bob) as live,
        web.socket("events", additional_headers=eve) as other,
        jpegs(web, camera, bob) as stream,
    ):
        assert next(messages(page))["you"]["name"] == "bob"
        ends: list[tuple[int, str]] = []
        reader = threading.Thread(target=lambda: ends.append(close_of(live)))
        reader.start()
        how(users, "bob")
        assert close_of(page) == (4401, "your sign-in has ended")
        reader.join()
        assert ends == [(4401, "your sign-in has ended")]
        assert stream.read().count(PICTURE) > 0, "it came to its end"
        other.send('{"type":"ping","id":1}')
        assert next(m for m in messages(other) if m["type"] == "pong")
    assert web.get("/api/me", **{k.replace("-", "_"): v for k, v in bob.items()}).status == 401


def test_an_operator_whose_name_is_taken_out_of_the_settings_starts_anew(
    users: Path, start: Start, tmp_path: Path
) -> None:
    file = tmp_path / "beeper.toml"
    file.write_text('[access]\noperators = ["olga", "bob"]\n')
    web = Web(start, BEEPER_CONFIG=str(file))
    olga, bob = signed_in(web, "olga"), signed_in(web)
    with (
        web.socket("events", additional_headers=olga) as page,
        web.socket("events", additional_headers=bob) as other,
    ):
        assert next(messages(page))["you"] == {"name": "olga", "operator": True}
        file.write_text('[access]\noperators = ["bob"]\n')
        assert close_of(page) == (4401, "your rights have changed")
        other.send('{"type":"ping","id":1}')
        assert next(m for m in messages(other) if m["type"] == "pong")
    with web.socket("events", additional_headers=olga) as page:
        assert next(messages(page))["you"] == {"name": "olga", "operator": False}
        file.write_text("[access\n")
        wait_until(lambda: "stays as it was" in web.service.log(), "the mistake is said")
        assert page.close_code is None


def test_a_removed_user_is_out_of_every_replica(users: Path, start: Start) -> None:
    webs = [Web(start), Web(start, "2")]
    bob = signed_in(webs[0])
    with contextlib.ExitStack() as stack:
        pages = [stack.enter_context(web.socket("events", additional_headers=bob)) for web in webs]
        remove(users, "bob")
        assert [close_of(page)[0] for page in pages] == [4401, 4401]


def sign_out(web: Web, headers: dict[str, str], **more: str) -> Answer:
    given = {name.replace("-", "_"): value for name, value in headers.items()}
    return web.post("/api/sign-out", None, **given | more)


def test_signing_out_ends_that_sign_in_everywhere_and_no_other(users: Path, start: Start) -> None:
    webs = [Web(start), Web(start, "2")]
    here, there = signed_in(webs[0]), signed_in(webs[0])

    def page(web: Web, who: dict[str, str]) -> ClientConnection:
        return stack.enter_context(web.socket("events", additional_headers=who))

    with contextlib.ExitStack() as stack:
        mine, other, elsewhere = page(webs[0], here), page(webs[0], there), page(webs[1], here)
        answer = sign_out(webs[0], here)
        assert answer.status == 200 and answer.json()["status"] == "signed out"
        assert cookies(answer) == {NAME: f"{NAME}="}
        for socket in (mine, elsewhere):
            assert close_of(socket) == (4401, "you have signed out")
        other.send('{"type":"ping","id":1}')
        assert next(m for m in messages(other) if m["type"] == "pong")
    for web in webs:
        with pytest.raises(InvalidStatus):
            web.socket("events", additional_headers=here)


def test_a_sign_in_that_was_ended_stays_so_after_a_restart(users: Path, start: Start) -> None:
    web = Web(start)
    bob = signed_in(web)
    assert sign_out(web, bob).status == 200
    web.service.terminate()
    again = Web(start)
    given = {name.replace("-", "_"): value for name, value in bob.items()}
    assert again.get("/api/me", **given).status == 401


def test_a_browser_that_knows_the_password_is_asked_for_it_anew(web: Web) -> None:
    home = {"Authorization": basic("bob")}
    me = web.get("/api/me", **home)
    assert (me.json()["name"], me.json()["sign_out"]) == ("bob", "api/sign-out")
    set_ = cookies(sign_out(web, {"Cookie": cookies(me)[NAME], **home}))
    assert set_ == {NAME: f"{NAME}=", SIGNED_OUT: f"{SIGNED_OUT}=1"}
    marked = {"Cookie": set_[SIGNED_OUT]}
    # At home it goes on as nobody, whatever the browser sends by itself.
    assert web.get("/api/me", **home, **marked).json()["way"] == "network"
    # Where a name is needed, the browser is told that what it sends does not count.
    asked = web.get("/login", **home, **marked)
    assert asked.status == 401 and asked.headers["www-authenticate"].startswith("Basic ")
    assert cookies(asked) == {SIGNED_OUT: f"{SIGNED_OUT}="}
    away = web.get("/", **home, **marked, X_Forwarded_For=STRANGER)
    assert away.status == 401 and away.headers["www-authenticate"].startswith("Basic ")
    assert cookies(away) == {SIGNED_OUT: f"{SIGNED_OUT}="}
    # What is typed then counts.
    assert web.get("/api/me", **home).json()["name"] == "bob"


def test_a_question_without_the_password_leaves_the_browser_marked(web: Web) -> None:
    away = web.get("/", Cookie=f"{SIGNED_OUT}=1", X_Forwarded_For=STRANGER)
    assert away.status == 401 and cookies(away) == {}


def test_whoever_is_nobody_may_sign_out_too(web: Web) -> None:
    assert sign_out(web, {}).status == 200
    assert sign_out(web, {"X-Forwarded-For": STRANGER}).status == 200
    assert web.get("/api/sign-out").status == 405


def test_a_foreign_page_signs_nobody_out(web: Web) -> None:
    bob = signed_in(web)
    assert sign_out(web, bob, Origin="https://evil.example").status == 403
    given = {name.replace("-", "_"): value for name, value in bob.items()}
    assert web.get("/api/me", **given).json()["name"] == "bob"


def test_a_wrong_password_beside_a_cookie_is_refused(web: Web) -> None:
    bob = {"Cookie": signed_in(web)["Cookie"]}
    assert web.get("/api/me", **bob, Authorization=basic("bob")).json()["name"] == "bob"
    for name, password in (("bob", "wrong"), ("olga", "wrong"), ("nobody", PASSWORD)):
        answer = web.get("/api/me", **bob, Authorization=basic(name, password))
        assert answer.status == 401 and answer.headers["www-authenticate"]
    assert web.get("/api/me", **bob, Authorization=basic("olga")).json()["name"] == "olga"


def test_the_right_password_beside_its_cookie_costs_nothing(users: Path, start: Start) -> None:
    web = Web(start, BEEPER_ACCESS__PASSWORD_RATE="0.001", BEEPER_ACCESS__PASSWORD_BURST="1")
    bob = {"Cookie": signed_in(web)["Cookie"], "X_Forwarded_For": STRANGER}
    for _ in range(5):
        answer = web.get("/api/me", **bob, Authorization=basic("bob"))
        assert answer.json()["name"] == "bob" and "set-cookie" not in answer.headers


def test_one_account_is_not_guessed_from_everywhere(users: Path, start: Start) -> None:
    web = Web(start, BEEPER_ACCESS__ACCOUNT_RATE="0.001", BEEPER_ACCESS__ACCOUNT_BURST="3")
    owner = signed_in(web)

    def guess(name: str, password: str, address: str, **more: str) -> int:
        header = basic(name, password)
        return web.get("/api/me", Authorization=header, X_Forwarded_For=address, **more).status

    for name in ("bob", "nobody"):
        codes = [guess(name, f"{n}", f"198.51.100.{n}") for n in range(5)]
        assert codes == [401, 401, 401, 429, 429], name
    assert guess("bob", PASSWORD, "198.51.100.77") == 429, "nothing is verified any more"
    assert guess("bob", PASSWORD, STRANGER) == 200, "the owner's own network"
    assert guess("bob", PASSWORD, "198.51.100.78", Cookie=owner["Cookie"]) == 200
    assert guess("olga", PASSWORD, "198.51.100.79") == 200, "another account"
    log = [line for line in web.service.log().splitlines() if "sign-in as" in line]
    assert len(log) == 2
    assert "'bob' from 198.51.100.3" in log[0] and "3 wrong passwords" in log[0]


def test_networks_of_ipv6_count_as_one_guesser(users: Path, start: Start) -> None:
    web = Web(start, BEEPER_ACCESS__PASSWORD_RATE="0.001", BEEPER_ACCESS__PASSWORD_BURST="2")
    tries = [
        web.get("/api/me", Authorization=basic("bob", f"{n}"), X_Forwarded_For=f"2001:db8::{n}")
        for n in range(1, 4)
    ]
    assert [answer.status for answer in tries] == [401, 401, 429]


def test_a_cookie_of_an_earlier_version_can_be_signed_out(tmp_path: Path) -> None:
    import asyncio
    import time

    from starlette.requests import HTTPConnection
    from web.client import SCOPE, Client, read_address
    from web.session import Session

    users = tmp_path / "users"
    write(users, {"bob": HASH})
    identities = Identities(Settings(state_dir=tmp_path, access=Access(password_file=users)))
    mark = identities._passwords.mark("bob") or ""
    cookie = identities._sessions.cookie(Session("bob", time.time() + 1000, mark), False)
    scope = {
        "type": "http",
        "headers": [(b"cookie", cookie.split(";")[0].encode())],
        SCOPE: Client(read_address(STRANGER), True),
    }
    found = asyncio.run(identities.identify(HTTPConnection(dict(scope))))
    assert found.name == "bob" and found.session
    identities.sign_out(found)
    assert identities.why_over(found) == "you have signed out"
