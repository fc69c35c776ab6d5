"""Presence and chat through web, over HTTP and over the page's WebSocket."""

import http.client
import json
import random
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from typing import Any, cast

import pytest
from conftest import DEADLINE, Broker, Service, Start, wait_until
from web.events import Page as EventsPage
from web.visitor import Visitor
from web.wire import Wire
from web_station import Answer, Web, close_of, messages
from websockets.sync.client import ClientConnection

OPERATOR, ANN, BOB = "10.0.0.1", "10.0.0.2", "10.0.0.3"
ACCESS = {
    "BEEPER_ACCESS__PROXIES": '["127.0.0.1"]',
    "BEEPER_ACCESS__OPERATORS": f'["local-{OPERATOR}"]',
}
QUICK = {"BEEPER_CHAT__PAUSE": "0.05", "BEEPER_CHAT__BURST": "100"}


def ask(web: Web, path: str, who: str = ANN, body: Any = None, method: str = "") -> Answer:
    """A request of somebody, seen through a trusted proxy."""
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    connection = http.client.HTTPConnection(web.host, timeout=DEADLINE)
    with closing(connection):
        method = method or ("GET" if data is None else "POST")
        connection.request(method, path, data, {"X-Forwarded-For": who})
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())


def known(web: Web) -> bool:
    paths = ("/api/active_users", "/api/chat/messages")
    return all(ask(web, path).status == 200 for path in paths)


@pytest.fixture
def chat(start: Start) -> Service:
    return start("chat", **QUICK)


@pytest.fixture
def web(chat: Service, start: Start) -> Web:
    def with_access(*words: str, **variables: str) -> Service:
        return start(*words, **ACCESS, **variables)

    web = Web(with_access)
    wait_until(lambda: known(web), "web has heard chat")
    return web


@pytest.fixture
def page(web: Web) -> Iterator[Callable[..., "Page"]]:
    with ExitStack() as stack:

        def open_page(who: str = ANN) -> Page:
            socket = web.socket("events", additional_headers={"X-Forwarded-For": who})
            return Page(stack.enter_context(socket))

        yield open_page


class Page:
    """A page as the browser's scripts see it."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def tell(self, kind: str, **about: Any) -> None:
        self.socket.send(json.dumps({"type": kind, **about}))

    def next(self, kind: str) -> Any:
        """The next message of a kind."""
        return next(m for m in messages(self.socket) if m["type"] == kind)

    def say(self, text: str, one: str = "") -> Any:
        self.tell("say", id=one or secrets.token_hex(16), message=text)
        return self.next("said")


Open = Callable[..., Page]


def texts(web: Web) -> list[str]:
    return [m["message"] for m in ask(web, "/api/chat/messages").json()["messages"]]


def test_what_one_page_says_every_page_hears(web: Web, page: Open) -> None:
    ann, bob = page(ANN), page(BOB)
    assert ann.next("hello")["you"] == {"name": f"local-{ANN}", "operator": False}
    assert ann.next("chat") == bob.next("chat") == {
        "type": "chat", "known": True, "whole": True, "messages": [], "deleted": [],
    }  # fmt: skip
    ann.tell("say", id="0" * 32, message=" <b>hello</b>\x00 ")
    for one in (ann, bob):
        (said,) = one.next("chat")["messages"]
        assert (said["username"], said["message"]) == (f"local-{ANN}", "<b>hello</b>")
    late = page(BOB).next("chat")
    assert late["whole"] and [m["id"] for m in late["messages"]] == ["0" * 32]


def test_the_sender_is_told_what_became_of_it(page: Open) -> None:
    ann = page()
    one = secrets.token_hex(16)
    assert ann.say("hello", one)["accepted"] and ann.say("hello", one)["accepted"]
    refusals = [ann.say(text)["refusal"] for text in ("\u202e", "x" * 501, "y" * 60_000)]
    assert refusals == ["empty", "too_long", "too_long"]
    assert ann.say("hello", "short")["refusal"] == "invalid"
    assert page(BOB).say("mine", one)["refusal"] == "taken"


def test_only_operators_delete(web: Web, page: Open) -> None:
    ann, operator = page(ANN), page(OPERATOR)
    ids = [secrets.token_hex(16) for _ in range(2)]
    assert all(ann.say("hello", one)["accepted"] for one in ids)
    ann.tell("delete", id=ids[0])
    refusal = ann.next("deleted")
    assert refusal["refusal"] == "forbidden" and "access.operators" in refusal["reason"]
    assert ask(web, f"/api/chat/messages/{ids[0]}", ANN, method="DELETE").status == 403
    assert ask(web, "/api/chat/messages/nothing-there", OPERATOR, method="DELETE").status == 404
    operator.tell("delete", id=ids[0])
    assert operator.next("deleted")["accepted"]
    assert ask(web, f"/api/chat/messages/{ids[1]}", OPERATOR, method="DELETE").status == 200
    gone: set[str] = set()
    while gone != set(ids):
        gone |= set(ann.next("chat")["deleted"])
    assert texts(web) == []


def test_pages_get_differences_of_the_roster(page: Open) -> None:
    watcher, ann = page(OPERATOR), page(ANN)
    assert watcher.next("viewers") == {
        "type": "viewers", "known": True, "whole": True, "viewers": [], "left": [], "count": 0,
    }  # fmt: skip
    ann.tell("heartbeat", session="a", state="viewing")
    change = watcher.next("viewers")
    assert [(v["name"], v["state"]) for v in change["viewers"]] == [(f"local-{ANN}", "viewing")]
    page(BOB).tell("heartbeat", session="b", state="viewing")
    change = watcher.next("viewers")
    assert [v["name"] for v in change["viewers"]] == [f"local-{BOB}"] and change["count"] == 2
    ann.tell("heartbeat", session="a", state="away")
    change = watcher.next("viewers")
    assert [(v["name"], v["state"]) for v in change["viewers"]] == [(f"local-{ANN}", "away")]
    whole = page(OPERATOR).next("viewers")
    assert whole["whole"] and {v["name"] for v in whole["viewers"]} == {
        f"local-{ANN}", f"local-{BOB}",
    }  # fmt: skip


def test_a_beacon_ends_one_tab_and_the_last_one_its_person(web: Web) -> None:
    def users() -> dict[str, str]:
        found = ask(web, "/api/active_users").json()
        assert found["count"] == len(found["users"])
        return {user["username"]: user["status"] for user in found["users"]}

    name = f"local-{ANN}"
    for session in ("one", "two"):
        beat = ask(web, "/api/heartbeat", body={"state": "viewing", "session": session})
        assert beat.status == 200 and beat.json()["username"] == name
    wait_until(lambda: users() == {name: "active"}, "there is one entry")
    assert ask(web, "/api/user_left", body={"session": "one"}).status == 200
    ask(web, "/api/heartbeat", body={"state": "away", "session": "two"})
    wait_until(lambda: users() == {name: "away"}, "the other tab is still there")
    assert ask(web, "/api/user_left", body={"session": "two"}).status == 200
    wait_until(lambda: users() == {}, "the last one has left")
    assert ask(web, "/api/user_left", body=b"").status == 200


def test_the_speaker_is_who_the_request_comes_from(web: Web) -> None:
    ask(web, "/api/heartbeat", body={"state": "viewing", "username": "the boss"})
    sent = ask(web, "/api/chat/send", body={"message": "hi", "username": "the boss"}).json()
    assert (sent["username"], sent["status"], sent["message"]) == (f"local-{ANN}", "sent", "hi")
    (said,) = ask(web, "/api/chat/messages").json()["messages"]
    assert said["username"] == f"local-{ANN}" and said["id"] == sent["id"]


BAD: tuple[tuple[str, Any, int, str], ...] = (
    ("/api/chat/send", b"{", 400, "Invalid JSON"),
    ("/api/chat/send", b"", 400, "message"),
    ("/api/chat/send", {"message": " "}, 400, "nothing in it"),
    ("/api/chat/send", {"message": 1}, 400, "string"),
    ("/api/chat/send", {"message": "a", "id": "no"}, 400, "id"),
    ("/api/chat/send", {"message": "x" * 501}, 413, "501 characters, at most 500"),
    ("/api/chat/send", {"message": "x" * 20_000}, 413, "at most 16384 bytes"),
    ("/api/heartbeat", {"state": "dancing"}, 400, "viewing"),
    ("/api/heartbeat", b"[]", 400, "object"),
    ("/api/user_left", {"session": "x" * 65}, 400, "session"),
)


def test_bad_requests_are_told_what_is_wrong(web: Web) -> None:
    for path, body, status, words in BAD:
        answer = ask(web, path, body=body)
        assert answer.status == status and words in answer.json()["detail"], (path, body)


def test_whoever_is_too_fast_is_told_how_long_to_wait(
    chat: Service, start: Start, web: Web
) -> None:
    chat.kill()
    start("chat", BEEPER_CHAT__PAUSE="0.05", BEEPER_CHAT__BURST="2", BEEPER_CHAT__RATE="0.01")
    wait_until(lambda: send(web, "1") == 200, "chat is back")
    assert send(web, "2") == 200
    answer = ask(web, "/api/chat/send", body={"message": "3"})
    assert answer.status == 429 and "wait" in answer.json()["detail"]
    assert 90 < int(answer.headers["Retry-After"]) <= 101
    assert ask(web, "/api/chat/send", BOB, {"message": "hello"}).status == 200


def send(web: Web, text: str) -> int:
    return ask(web, "/api/chat/send", body={"message": text}).status


def test_without_chat_everything_says_so_and_goes_on(
    chat: Service, start: Start, web: Web, page: Open
) -> None:
    assert send(web, "before") == 200
    chat.kill()
    ann = page()
    answer = ask(web, "/api/chat/send", body={"message": "lost"})
    assert answer.status == 503 and "not there" in answer.json()["detail"]
    assert ask(web, "/api/heartbeat", body={}).status == 503
    one = secrets.token_hex(16)
    assert ann.say("later", one)["refusal"] == "away"
    assert texts(web) == ["before"], "what is known stays"
    start("chat", **QUICK)
    wait_until(lambda: ann.say("later", one)["accepted"], "chat is back")
    assert texts(web) == ["before", "later"]


def test_a_web_that_is_killed_is_told_everything_again(
    broker: Broker, start: Start, web: Web
) -> None:
    assert send(web, "hello") == 200
    web.service.kill()
    again = Web(lambda *words, **variables: start(*words, **ACCESS, **variables))
    wait_until(lambda: known(again) and texts(again) == ["hello"], "the new one knows it")
    broker.stop()
    broker.start()
    wait_until(lambda: send(again, "you") == 200, "the broker is back")
    assert texts(again) == ["hello", "you"]


class Full:
    """A wire that counts what is written to it."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, frame: bytes) -> None:
        self.written.append(frame)


async def test_a_page_that_does_not_read_gets_the_whole_afterwards() -> None:
    wire = Full()
    page = EventsPage(cast(Wire, wire), cast(Visitor, None))
    page.tell("chat", b"first", lambda: b"whole")
    page.pause()
    for change in (b"second", b"third"):
        page.tell("chat", change, lambda: b"whole")
    page.tell("bus", b"bus")
    page.resume()
    assert wire.written == [b"first", b"whole", b"bus"]
    page.pause()
    for number in range(3000):
        page.tell(f"said {number}", b"no")
    assert await page.ending.wait() == (1008, "answers are not read")


STRANGE: tuple[Any, ...] = (
    {"type": "heartbeat", "session": "a", "state": "dancing"},
    {"type": "heartbeat", "session": "", "state": "viewing"},
    {"type": "say", "message": "no id"},
    {"type": "say", "id": 1, "message": "hello"},
    {"type": "delete"},
    {"type": ["say"]},
    [],
)


def test_what_is_not_understood_ends_the_connection(page: Open) -> None:
    for message in STRANGE:
        ann = page()
        ann.socket.send(json.dumps(message))
        assert close_of(ann.socket)[0] == 1008, message


def test_a_page_is_one_session(page: Open) -> None:
    ann = page()
    for session in ("one", "two"):
        ann.tell("heartbeat", session=session, state="viewing")
    assert close_of(ann.socket)[0] == 1008


def test_a_body_that_ends_before_its_end_is_no_error_of_ours(web: Web) -> None:
    head = f"POST /api/chat/send HTTP/1.1\r\nHost: {web.host}\r\nContent-Length: 100\r\n\r\n"
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", web.port)) as line:
            line.sendall(f"{head}{{".encode())
    assert send(web, "hello") == 200
    assert "Traceback" not in web.service.log()


def there(web: Web) -> bool:
    with suppress(OSError):
        return known(web)
    return False


def insist(web: Web, who: str, text: str) -> None:
    """Say the same until it is acknowledged, whatever dies meanwhile."""
    one = secrets.token_hex(16)

    def acknowledged() -> bool:
        try:
            answer = ask(web, "/api/chat/send", who, {"message": text, "id": one})
        except (OSError, http.client.HTTPException):
            return False
        return answer.status == 200 and bool(answer.json()["message"] == text)

    wait_until(acknowledged, f"{text} is acknowledged")


def test_nothing_acknowledged_is_lost_or_doubled_whoever_is_killed(
    broker: Broker, start: Start, chat: Service, web: Web
) -> None:
    people = (ANN, BOB, OPERATOR)
    said = {who: [f"{who} {number}" for number in range(16)] for who in people}

    def speak(who: str) -> None:
        for text in said[who]:
            insist(web, who, text)
            time.sleep(random.uniform(0, 0.5))

    living = {"chat": chat, "web": web.service}
    variables = ACCESS | QUICK | {"BEEPER_WEB__PORT": str(web.port)}
    with ThreadPoolExecutor(len(people)) as pool:
        speaking = [pool.submit(speak, who) for who in people]
        for victim in random.sample(["chat", "chat", "web", "web", "broker", "broker"], 6):
            time.sleep(random.uniform(0.1, 1))
            if victim == "broker":
                broker.stop()
                broker.start()
            else:
                living[victim].kill()
                living[victim] = start(victim, **variables)
        for one in speaking:
            one.result()
    everything = sorted(text for texts in said.values() for text in texts)
    wait_until(lambda: there(web) and sorted(texts(web)) == everything, "all are there, once")
    for who in people:
        assert [text for text in texts(web) if text.startswith(f"{who} ")] == said[who]
