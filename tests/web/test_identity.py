"""Who is let in, by which name, and where a forwarded address counts."""

import ipaddress
import stat
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
from conftest import DEADLINE, Broker, Start, starter, wait_until
from fastapi import HTTPException
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from web.client import Client, resolve
from web.passwords import HASHER, write
from web.session import AUDIENCE, NAME
from web.settings import Access
from web_station import Answer, Web
from websockets.exceptions import InvalidStatus

PASSWORD = "correct horse"
NETWORK = '["192.0.2.0/24"]'
STRANGER = "203.0.113.9"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("web")


@pytest.fixture(scope="module")
def web(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """With two users, and a proxy on this machine that says who has signed in."""
    broker = Broker(tmp_path_factory.mktemp("mosquitto"))
    broker.start()
    hashed = HASHER.hash(PASSWORD)
    write(folder / "state" / "users", {"bob": hashed, "olga": hashed, "eve": hashed})
    with starter(broker, folder) as start:
        yield Web(
            start,
            BEEPER_ACCESS__OPERATORS='["olga", "ina@hens.example"]',
            BEEPER_ACCESS__USER_HEADER="X-Remote-User",
            BEEPER_ACCESS__HOSTS='["Hens.example.org"]',
            BEEPER_ACCESS__PASSWORD_RATE="1000",
            BEEPER_ACCESS__PASSWORD_BURST="1000",
        )
    broker.stop()


def basic(name: str, password: str = PASSWORD) -> str:
    return "Basic " + b64encode(f"{name}:{password}".encode()).decode()


def sign_in(web: Web, name: str = "bob", **headers: str) -> Answer:
    return web.get("/api/me", Authorization=basic(name), X_Forwarded_For=STRANGER, **headers)


def cookie_of(answer: Answer) -> str:
    return answer.headers["set-cookie"].split(";")[0]


def test_whoever_comes_from_the_network_at_home_may_watch_and_is_no_operator(web: Web) -> None:
    me = web.get("/api/me").json()
    assert (me["name"], me["operator"], me["way"]) == ("local-127.0.0.1", False, "network")
    assert "access.operators" in me["become_operator"]
    assert me["sign_in"] == "login"


def test_a_stranger_is_asked_for_a_password(web: Web) -> None:
    answer = web.get("/", X_Forwarded_For=STRANGER)
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith('Basic realm="Beeper Keeper"')


def test_nobody_is_asked_for_a_password_that_nobody_has(start: Start) -> None:
    web = Web(start, BEEPER_ACCESS__ANONYMOUS=NETWORK)
    for path in ("/", "/api/me", "/api/cameras", "/camera/stream.mjpg", "/camera/snapshot.jpg"):
        answer = web.get(path)
        assert answer.status == 403 and "access.anonymous" in answer.json()["detail"]
        assert "www-authenticate" not in answer.headers
    for path in ("live/csi", "events"):
        with pytest.raises(InvalidStatus) as refused, web.socket(path):
            pass
        assert refused.value.response.status_code == 403
        assert b"access.anonymous" in (refused.value.response.body or b"")
    assert web.get("/api/me", Authorization=basic("bob")).status == 403


def test_health_tells_a_stranger_no_more_than_whether_it_works(web: Web) -> None:
    for path in ("/healthz", "/readyz"):
        told = web.get(path, X_Forwarded_For=STRANGER).json()
        assert set(told) == {"status", "bus", "timestamp"}
    assert "degraded" in web.get("/healthz").json()


def test_a_password_counts_once_and_then_its_cookie(web: Web) -> None:
    answer = sign_in(web, X_Forwarded_Proto="https")
    assert (answer.json()["name"], answer.json()["way"]) == ("bob", "password")
    for word in ("HttpOnly", "SameSite=Lax", "Secure", "Path=/"):
        assert word in answer.headers["set-cookie"]
    assert "Secure" not in sign_in(web).headers["set-cookie"]
    again = web.get("/api/me", Cookie=cookie_of(answer), X_Forwarded_For=STRANGER)
    assert again.json()["name"] == "bob" and "set-cookie" not in again.headers
    headers = {"Cookie": cookie_of(answer), "X-Forwarded-For": STRANGER}
    with web.socket("events", additional_headers=headers) as socket:
        assert "hello" in str(socket.recv(timeout=DEADLINE))


def test_a_cookie_survives_other_cookies_that_are_no_cookies(web: Web) -> None:
    mixed = f'a b="c; {cookie_of(sign_in(web))}; =; \x22'
    assert web.get("/api/me", Cookie=mixed).json()["name"] == "bob"


@pytest.mark.parametrize("name", ["bob", "nobody", "", "local-127.0.0.1", "b\u00f6b"])
def test_a_wrong_password_is_refused_and_so_is_a_name_that_nobody_has(web: Web, name: str) -> None:
    wrong = web.get("/api/me", Authorization=basic(name, "wrong"))
    assert wrong.status == 401 and wrong.json()["detail"] == "wrong name or password"
    assert "set-cookie" not in wrong.headers


@pytest.mark.parametrize(
    "header", ["Basic", "Basic %%%", "Basic Ym9i", "Bearer x", "Basic " + "A" * 9000]
)
def test_what_is_no_basic_authentication_is_none(web: Web, header: str) -> None:
    assert web.get("/api/me", Authorization=header).json()["way"] == "network"
    assert web.get("/api/me", Authorization=header, X_Forwarded_For=STRANGER).status == 401


def test_passwords_cannot_be_tried_for_long(start: Start, tmp_path: Path) -> None:
    write(tmp_path / "state" / "users", {"bob": HASHER.hash(PASSWORD)})
    web = Web(start, BEEPER_ACCESS__PASSWORD_RATE="0.001", BEEPER_ACCESS__PASSWORD_BURST="2")
    tries = [web.get("/api/me", Authorization=basic("bob", f"{n}")) for n in range(4)]
    assert [answer.status for answer in tries] == [401, 401, 429, 429]
    assert int(tries[-1].headers["retry-after"]) > 500
    assert web.get("/api/me", Authorization=basic("bob")).status == 429
    elsewhere = {"Authorization": basic("bob"), "X_Forwarded_For": "192.168.1.9"}
    assert web.get("/api/me", **elsewhere).json()["name"] == "bob"


def test_a_forged_cookie_is_nobody(web: Web, folder: Path) -> None:
    true = cookie_of(sign_in(web)).removeprefix(f"{NAME}=")
    key = (folder / "state" / "session.key").read_bytes()
    said = jwt.decode(true, key, ["HS256"], audience=AUDIENCE)
    body = true.split(".")[1]
    nothing = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"
    forged = {
        "unsigned": f"{nothing}.{body}.",
        "another key": jwt.encode(said, b"x" * 32, "HS256"),
        "another algorithm": jwt.encode(said, key * 2, "HS512"),
        "expired": jwt.encode(said | {"exp": 1, "up": 1}, key, "HS256"),
        "expired since a restart": jwt.encode(said | {"exp": 1, "boot": "x"}, key, "HS256"),
        "no end": jwt.encode({k: v for k, v in said.items() if k != "exp"}, key, "HS256"),
        "no name": jwt.encode({k: v for k, v in said.items() if k != "sub"}, key, "HS256"),
        "for something else": jwt.encode(said | {"aud": "else"}, key, "HS256"),
        "another password": jwt.encode(said | {"pwd": "0" * 16}, key, "HS256"),
        "no such user": jwt.encode(said | {"sub": "nobody"}, key, "HS256"),
        "another name": f"{true.split('.')[0]}.{body[:-2]}AA.{true.split('.')[2]}",
        "nonsense": "x",
        "empty": "",
    }
    for how, cookie in forged.items():
        answer = web.get("/api/me", Cookie=f"{NAME}={cookie}", X_Forwarded_For=STRANGER)
        assert answer.status == 401, how
    renamed = jwt.encode(said | {"sub": "olga"}, b"y" * 32, "HS256")
    assert web.get("/api/me", Cookie=f"{NAME}={renamed}").json()["operator"] is False


def test_the_key_of_the_cookies_is_for_its_owner_and_lasts(web: Web, folder: Path) -> None:
    sign_in(web)
    path = folder / "state" / "session.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_bytes()) == 32
    assert [p.name for p in path.parent.iterdir() if p.name.startswith(".")] == []


def test_a_session_ends_with_the_user(web: Web, folder: Path) -> None:
    cookie = cookie_of(sign_in(web, "eve"))
    users = folder / "state" / "users"
    text = users.read_text()
    lines = [line for line in text.splitlines() if not line.startswith("eve:")]
    users.write_text("\n".join(lines))
    assert web.get("/api/me", Cookie=cookie, X_Forwarded_For=STRANGER).status == 401


def test_a_session_is_renewed_when_half_of_it_is_over(start: Start, tmp_path: Path) -> None:
    write(tmp_path / "state" / "users", {"bob": HASHER.hash(PASSWORD)})
    web = Web(start, BEEPER_ACCESS__SESSION="3")
    cookie = cookie_of(sign_in(web))

    def renewed() -> Answer | None:
        answer = web.get("/api/me", Cookie=cookie)
        return answer if answer.headers["set-cookie"] else None

    wait_until(renewed, "a new cookie comes")
    wait_until(lambda: web.get("/api/me", Cookie=cookie).json()["way"] == "network", "it ends")


def test_login_asks_a_viewer_at_home_for_a_password_and_shows_the_page(web: Web) -> None:
    assert web.get("/login").status == 401
    answer = web.get("/login", Authorization=basic("olga"))
    assert (answer.status, answer.headers["location"]) == (303, "./")
    assert web.get("/api/me", Cookie=cookie_of(answer)).json()["operator"] is True


def test_a_proxy_says_who_has_signed_in_there(web: Web) -> None:
    me = web.get("/api/me", X_Remote_User="carla@example.org", X_Forwarded_For=STRANGER).json()
    assert (me["name"], me["way"], me["operator"]) == ("carla", "proxy", False)
    assert web.get("/api/me", X_Remote_User="local-10.0.0.1").status == 403
    assert web.get("/api/me", X_Remote_User="\t").json()["way"] == "network"


def test_the_client_behind_a_trusted_proxy_is_the_one_that_it_names(web: Web) -> None:
    through = web.get("/api/me", X_Forwarded_For="203.0.113.9, 192.168.1.7, 127.0.0.1")
    assert through.json()["name"] == "local-192.168.1.7"
    assert web.get("/api/me", X_Forwarded_For=f"192.168.1.7, {STRANGER}").status == 401


OURS = [
    "127.0.0.1", "127.0.0.1:8080", "[::1]:8080", "[fd00::1]", "localhost", "localhost:8080",
    "pi", "PI:80", "pi.local", "pi.local.:8080", "pi.lan", "a.pi.internal", "pi.home.arpa",
    "hens.example.org", "HENS.example.org:443", "",
]  # fmt: skip
FOREIGN = [
    "evil.example", "evil.example:8080", "127.0.0.1.evil.example", "pi.local.evil.example",
    "eggs.hens.example.org", "hens.example.org.evil.example", "evil.example.", "0x7f.1",
    "local.com", "xlan.example", "ä.example".encode().decode("latin-1"),
]  # fmt: skip


@pytest.mark.parametrize("host", OURS)
def test_by_an_address_and_by_its_own_names_anybody_at_home_may_watch(web: Web, host: str) -> None:
    assert web.get("/api/me", Host=host).json()["way"] == "network"
    assert web.get("/metrics", Host=host).status == 200


@pytest.mark.parametrize("host", FOREIGN)
def test_a_page_whose_name_points_to_the_station_is_nobody(web: Web, host: str) -> None:
    answer = web.get("/api/me", Host=host)
    assert answer.status == 401
    assert "access.hosts" in answer.json()["detail"]
    assert web.get("/metrics", Host=host).status == 403
    assert web.get("/healthz", Host=host).status == 200
    with pytest.raises(InvalidStatus), web.socket("events", additional_headers={"Host": host}):
        pass
    through = web.get("/api/me", X_Forwarded_For="10.0.0.7", X_Forwarded_Host=host)
    assert through.status == 401, "nor through a proxy that asks by a name of its own"


@pytest.mark.parametrize("host", FOREIGN)
def test_whoever_signs_in_may_come_by_any_name(web: Web, host: str) -> None:
    assert sign_in(web, Host=host).json()["name"] == "bob"
    assert web.get("/api/me", Host=host, X_Remote_User="eve").json()["way"] == "proxy"
    cookie = cookie_of(sign_in(web))
    assert web.get("/api/me", Host=host, Cookie=cookie).json()["name"] == "bob"


def test_an_operators_e_mail_address_counts_as_a_whole(web: Web) -> None:
    def operator(user: str) -> bool:
        found: bool = web.get("/api/me", X_Remote_User=user).json()["operator"]
        return found

    assert operator("olga") and operator("ina@hens.example")
    for user in ("olga@evil.example", "ina", "ina@evil.example", "INA@hens.example", "olga@"):
        assert not operator(user), user
    me = web.get("/api/me", X_Remote_User="olga@evil.example").json()
    assert '"olga@evil.example"' in me["become_operator"]


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "Forwarded",
     "X-Remote-User", "CF-Connecting-IP", "Cf-Access-Authenticated-User-Email", "CF-Ray"],
)  # fmt: skip
def test_a_proxy_that_nobody_has_introduced_is_told_which_setting_does(
    start: Start, header: str
) -> None:
    settings = Access(proxies=(), user_header="X-Remote-User")
    with pytest.raises(HTTPException, match=r"not believed from 192\.168\.1\.5") as refused:
        resolve("192.168.1.5", Headers({header: "10.0.0.1"}), settings)
    setting = "access.tunnels" if header.lower().startswith("cf-") else "access.proxies"
    assert setting in str(refused.value)


def test_a_tunnel_on_this_machine_does_not_make_the_internet_local(web: Web) -> None:
    tunnel = {"CF-Connecting-IP": STRANGER, "X-Forwarded-For": STRANGER, "CF-Ray": "1"}
    connection = {key.replace("-", "_"): value for key, value in tunnel.items()}
    answer = web.get("/api/me", **connection)
    assert answer.status == 403 and "access.tunnels" in answer.json()["detail"]
    for name in ("127.0.0.1", "172.18.0.1"):
        trusted = Access(tunnels=(ipaddress.IPv4Network(name),), proxies=())
        assert resolve(name, Headers(tunnel), trusted) == client(STRANGER)


def test_a_client_behind_a_tunnel_cannot_choose_its_address() -> None:
    access = Access(tunnels=(ipaddress.IPv4Network("172.18.0.5"),))
    with pytest.raises(HTTPException, match="different clients"):
        resolve(
            "172.18.0.5",
            Headers({"CF-Connecting-IP": "10.0.0.1", "X-Forwarded-For": "192.168.1.66"}),
            access,
        )
    forged = Headers({"CF-Connecting-IP": STRANGER, "X-Forwarded-For": f"10.0.0.1, {STRANGER}"})
    assert resolve("172.18.0.5", forged, access) == client(STRANGER)


def test_a_proxy_that_does_not_say_for_whom_it_asks_is_not_local() -> None:
    access = Access(proxies=(ipaddress.IPv4Network("172.18.0.0/16"),))
    assert not resolve("172.18.0.3", Headers({}), access).known
    assert not resolve("172.18.0.3", Headers({"X-Forwarded-Proto": "https"}), access).known
    assert resolve("127.0.0.1", Headers({}), Access()).known
    assert not resolve("127.0.0.1", Headers({"X-Forwarded-Proto": "https"}), Access()).known


def test_an_address_inside_ipv6_is_the_same_address() -> None:
    assert resolve("::ffff:192.168.1.5", Headers({}), Access()) == client("192.168.1.5")
    through = Headers({"X-Forwarded-For": "[::ffff:10.1.2.3]"})
    assert resolve("::1", through, Access()) == client("10.1.2.3")


@given(st.text() | st.ip_addresses().map(str))
def test_a_forwarded_address_is_an_address_or_refused(text: str) -> None:
    latin = text.encode("utf-8", "replace").decode("latin-1")
    try:
        found = resolve("127.0.0.1", Headers({"X-Forwarded-For": latin}), Access())
    except HTTPException as refusal:
        assert refusal.status_code == 400 and "does not count" in refusal.detail
    else:
        assert ipaddress.ip_address(found.address)


def client(address: str) -> Client:
    return Client(ipaddress.ip_address(address), True)
