"""How long clients may take, how many may do nothing, and what waits for those who do not read."""

import asyncio
import contextlib
import resource
import socket
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from typing import Literal

import psutil
import pytest
from bus_camera import Camera
from conftest import DEADLINE, Broker, Start, starter, wait_until
from fastapi.responses import Response
from http_attacks import DRIP, HALF, Habit, begun, cut_off, get, hold
from starlette.types import ASGIApp, Message, Scope
from web import acceptor
from web.answers import PIECE, Answers, Shared
from web.client import SCOPE, Client, read_address
from web.connections import Connections
from web.descriptors import RESERVE, each, enough_for, needed, shortage
from web.settings import Web as Settings
from web_station import Frame, Web, messages
from websockets.sync.client import ClientConnection

STRANGER = "127.0.0.9"
"""An address that is no trusted proxy here."""
BODY = begun("POST", "/api/chat/send", "Content-Length: 1000\r\n\r\n{")
FILE = "/static/style.css"
DESCRIPTORS = 300


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    broker = Broker(tmp_path_factory.mktemp("mosquitto"))
    broker.start()
    with starter(broker, tmp_path_factory.mktemp("web")) as start:
        yield Web(
            start,
            head_wait="1",
            body_wait="1",
            unread="1",
            keep_alive="1",
            max_idle="8",
            max_unread="8",
            BEEPER_ACCESS__PROXIES='["127.0.0.1/32"]',
        )
    broker.stop()


def open_one(web: Web, said: bytes = b"", source: str = "127.0.0.1") -> socket.socket:
    """A connection that has said something."""
    about = socket.socket()
    about.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    about.settimeout(DEADLINE)
    about.bind((source, 0))
    about.connect(("127.0.0.1", web.port))
    about.sendall(said)
    return about


def rest(about: socket.socket) -> bytes:
    """All that comes until the server closes."""
    answer = b""
    with contextlib.suppress(ConnectionResetError):
        while part := about.recv(65_536):
            answer += part
    return answer


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"", b""),
        (begun(more="X-A: "), b"408"),
        (b"GET", b"408"),
        (BODY, b"408"),
        (begun("POST", "/api/chat/send", "Transfer-Encoding: chunked\r\n\r\n5\r\nab"), b"408"),
        (get(FILE), b"200"),
        (get(FILE) + b"GET / HT", b"200"),
        (get("/nothing") + BODY, b"404"),
    ],
    ids=["silent", "head", "method", "body", "chunk", "idle", "second head", "second body"],
)
def test_a_client_that_stops_in_the_middle_is_let_go(web: Web, said: bytes, status: bytes) -> None:
    with open_one(web, said) as about:
        assert rest(about)[9:12] == status


@pytest.mark.parametrize("habit", [DRIP, Habit(BODY, b" ", every=0.2)], ids=["head", "body"])
def test_a_client_that_drips_is_let_go(web: Web, habit: Habit) -> None:
    became = asyncio.run(hold(web.port, 20, DEADLINE, habit._replace(every=0.2)))
    assert became == {"connected": 20, "408": 20, "closed": 20}


def test_who_reads_nothing_is_cut_off(web: Web) -> None:
    for said in (get("/openapi.json") * 200, get(FILE) * 200):
        with open_one(web, said) as about:
            wait_until(partial(cut_off, about.fileno()), f"{said[:20]!r} ends")


def test_a_slow_reader_gets_all(web: Web) -> None:
    """Longer than `unread`, but never that long without a byte."""
    whole = web.get("/openapi.json").body
    last = get("/openapi.json", "Connection: close\r\n")
    with open_one(web, get("/openapi.json") * 9 + last) as about:
        answer = b""
        while part := about.recv(4096):
            answer += part
            time.sleep(0.02)
    assert answer.count(whole) == 10


def test_an_address_has_a_share_of_connections_that_ask_for_nothing(web: Web) -> None:
    with contextlib.ExitStack() as stack:
        many = [stack.enter_context(open_one(web, b"GET", source=STRANGER)) for _ in range(12)]
        wait_until(lambda: sum(cut_off(one.fileno()) for one in many) >= 4, "the oldest give way")
        others = [stack.enter_context(open_one(web, b"GET")) for _ in range(12)]
        assert rest(others[0])[9:12] == b"408", "a proxy speaks for many"


def test_what_is_sent_unread_stays_small(web: Web) -> None:
    process = psutil.Process(web.service.process.pid)
    before = process.memory_info().rss
    habit = Habit(get("/openapi.json") * 20, reads=False)
    became = asyncio.run(hold(web.port, 150, DEADLINE, habit))
    assert became["closed"] == 150
    assert process.memory_info().rss - before < 150 * 200_000


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Services have few descriptors, and cannot get more."""
    few = partial(resource.setrlimit, resource.RLIMIT_NOFILE, (DESCRIPTORS // 2, DESCRIPTORS))
    popen = partial(subprocess.Popen, preexec_fn=few)
    monkeypatch.setattr(subprocess, "Popen", popen)


def test_viewers_notice_nothing_when_descriptors_run_out(
    camera: Camera, start: Start, limited: None
) -> None:
    camera.say()
    camera.film()
    # The viewer acknowledges nothing while this process opens connections.
    web = Web(start, unanswered="600")
    web.knows("csi")
    (line,) = [line for line in web.service.log().splitlines() if "max_viewers" in line]
    assert f"the limit is {DESCRIPTORS}" in line and "LimitNOFILE" in line
    with web.socket("live/csi") as viewer, contextlib.ExitStack() as stack:
        silent = [stack.enter_context(open_one(web)) for _ in range(DESCRIPTORS)]
        assert goes_on(viewer)
        assert web.get("/healthz").status == 200, "the oldest idle ones give way"
        assert any(cut_off(one.fileno()) for one in silent)
        halves = [stack.enter_context(open_one(web, HALF.first)) for _ in range(DESCRIPTORS)]
        assert goes_on(viewer) and halves
    assert psutil.Process(web.service.process.pid).num_fds() < DESCRIPTORS
    assert "Traceback" not in web.service.log()


def goes_on(viewer: ClientConnection) -> bool:
    """Whether another picture comes."""
    return any(isinstance(message, Frame) for message in messages(viewer))


def test_a_kernel_that_gives_no_descriptor_is_said_once_and_asked_again(
    web: Web,
) -> None:
    pid = web.service.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    with web.socket("events") as page, contextlib.ExitStack() as stack:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (8, before[1]))
        late = [stack.enter_context(open_one(web, get("/healthz"))) for _ in range(50)]
        wait_until(lambda: "Too many open files" in web.service.log(), "it is said")
        assert page.recv(timeout=DEADLINE)
        assert not any(cut_off(one.fileno()) for one in late)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        assert rest(late[-1])[9:12] == b"200"
    wait_until(lambda: "connections: works again" in web.service.log(), "there is room")
    assert "Traceback" not in web.service.log()
    assert web.service.log().count("WARNING") == 1, web.service.log()


async def test_beyond_the_ceiling_there_is_an_answer_and_one_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(acceptor, "QUIET", 0.01)
    said: asyncio.Queue[str | None] = asyncio.Queue()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        nobody = acceptor.Acceptor(
            listener, asyncio.Protocol, Connections(Settings(), 8), 0, said.put_nowait
        )
        for _ in range(3):
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            assert (await reader.read())[9:12] == b"503"
            writer.close()
        word = await said.get()
        assert word and "descriptors" in word
        assert await said.get() is None
        nobody.close()


@pytest.mark.parametrize("media", ["embedded", "mediamtx"])
def test_viewers_fit_into_the_descriptors(media: Literal["embedded", "mediamtx"]) -> None:
    web = Settings(media=media, max_viewers=1000)
    assert shortage(web, needed(web)) is None and enough_for(web, needed(web)) == 1000
    assert shortage(web, needed(web) - 1)
    for limit in (RESERVE, 256, 1024, 2048):
        few = enough_for(web, limit)
        assert few == 1 or few * each(web) < limit - RESERVE


async def test_answers_wait_within_a_budget_and_shared_ones_for_free() -> None:
    """A quarter for one address; what is refused is refused before it begins."""
    content = bytes(6 * PIECE)
    assert await statuses(Response(content)) == [200, 503, 503, 503, 200]
    assert await statuses(Shared([content], "a/b", {})) == [200] * 5


async def statuses(app: ASGIApp) -> list[int]:
    """Of four answers that nobody reads, and of one after these have been read."""
    answers = Answers(app, 10 * 4 * PIECE)
    begun: asyncio.Queue[int] = asyncio.Queue()
    readable = asyncio.Event()
    sent = bytearray()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            begun.put_nowait(message["status"])
        elif message.get("more_body"):
            assert len(message["body"]) <= PIECE
            await readable.wait()
            sent.extend(message["body"])

    unread = [asyncio.create_task(answers(scope(), nothing, send)) for _ in range(4)]
    found = [await begun.get() for _ in unread]
    readable.set()
    await asyncio.gather(*unread)
    await answers(scope(), nothing, send)
    found.append(begun.get_nowait())
    assert len(sent) == 6 * PIECE * found.count(200)
    return found


def scope() -> Scope:
    client = Client(read_address("192.0.2.1"), True)
    return {"type": "http", "method": "GET", "path": "/", "headers": [], SCOPE: client}


async def nothing() -> Message:
    return {"type": "http.disconnect"}
