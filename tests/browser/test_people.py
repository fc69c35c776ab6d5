"""Two people and an operator in front of the same page: they see each other and talk."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import DEADLINE, Service, Start, wait_until
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page
from web_station import Web

from nginx import Nginx

ANN, BOB, OPERATOR = "10.0.0.2", "10.0.0.3", "10.0.0.1"
ACCESS = {
    "BEEPER_ACCESS__PROXIES": '["127.0.0.1"]',
    "BEEPER_ACCESS__OPERATORS": f'["local-{OPERATOR}"]',
    "BEEPER_ACCESS__USER_HEADER": "X-Remote-User",
}
CHAT = {"BEEPER_CHAT__PAUSE": "0.05", "BEEPER_CHAT__BURST": "100"}
LINES = """e => [...e.querySelectorAll("h3, .label")]
  .filter((one) => one.checkVisibility()).map((one) => one.textContent)"""
NASTY = (
    "<script>globalThis.pwned=1</script>",
    "<img src=x onerror=globalThis.pwned=1>",
    '"><svg onload=globalThis.pwned=1>',
    "</textarea><iframe srcdoc='<script>parent.pwned=1</script>'>",
    "javascript:globalThis.pwned=1//",
    "{{constructor.constructor('globalThis.pwned=1')()}} ${globalThis.pwned=1}",
    "&lt;b&gt; &#60;script&#62; %3Cscript%3E \\u003cscript\\u003e",
    "'; DROP TABLE messages; --",
    "<style>*{display:none}</style><base href=//evil.test/><meta http-equiv=refresh content=0>",
    "]]></script><!-- -->",
    "=cmd|' /C calc'!A0",
    "😀\u200d🔥 e\u0301 שלום",
)


class Somebody:
    """One person's browser."""

    def __init__(self, context: BrowserContext, url: str, name: str) -> None:
        self.name = name
        self.complaints: list[str] = []
        self.page: Page = context.new_page()
        self.page.set_default_timeout(DEADLINE * 1000)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(url)
        self.chat = self.page.get_by_role("region", name="Chat")
        self.box = self.chat.get_by_role("textbox")
        self.log = self.chat.get_by_role("log")
        self.viewers = self.page.get_by_role("region", name="Who is watching")
        self.connection("live")

    def _console(self, message: ConsoleMessage) -> None:
        # Whatever the network did not give while services were killed is told as an error too.
        if message.type in ("error", "warning") and "WebSocket connection" not in message.text:
            self.complaints.append(message.text)

    def connection(self, words: str) -> None:
        """Wait until the page says that of its connection."""
        self.page.locator("#connection", has_text=words).wait_for()

    def say(self, text: str) -> None:
        self.box.fill(text)
        self.box.press("Enter")

    def reads(self, text: str) -> Locator:
        """Wait until a message stands there."""
        found = self.log.get_by_role("listitem").filter(has_text=text)
        found.first.wait_for()
        return found

    def sees(self, *lines: str) -> None:
        """Wait until exactly these lines stand on the card of viewers, ages left out."""

        def shown() -> list[str]:
            return list(self.viewers.evaluate(LINES))

        wait_for(self.page, lambda: shown() == list(lines), f"{lines}, not {shown()}")


def wait_for(page: Page, condition: Callable[[], bool], what: str) -> None:
    """Look again and again while the page goes on."""
    for _ in range(600):
        if condition():
            return
        page.wait_for_timeout(25)
    pytest.fail(f"never: {what}")


@pytest.fixture(autouse=True)
def past(start: Start) -> Service:
    """The page asks for it, and complains where it is not there."""
    return start("history")


@pytest.fixture
def chat(start: Start) -> Service:
    return start("chat", **CHAT)


@pytest.fixture
def web(chat: Service, start: Start) -> Web:
    return Web(lambda *words, **variables: start(*words, **ACCESS, **variables))


Visit = Callable[..., Somebody]


@pytest.fixture
def visit(web: Web, browser: Browser, tmp_path: Path) -> Iterator[Visit]:
    nginx = Nginx(tmp_path, web.port, ANN, BOB, OPERATOR)
    contexts: list[BrowserContext] = []

    def visit(address: str, width: int = 1280) -> Somebody:
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}))
        return Somebody(contexts[-1], nginx.url(address), f"local-{address}")

    yield visit
    for context in contexts:
        context.close()
    nginx.stop()


def delete(url: str) -> int:
    """The code that a DELETE gets."""
    request = urllib.request.Request(url, method="DELETE")  # noqa: S310 (our own http URL)
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def hide(page: Page, hidden: bool) -> None:
    """Headless Chromium never hides a tab by itself."""
    page.evaluate(
        """hidden => {
          Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def test_people_see_each_other_arrive_go_away_and_leave(visit: Visit) -> None:
    ann = visit(ANN)
    ann.sees("Viewing (1)", f"{ann.name} (you)")
    bob = visit(BOB)
    ann.sees("Viewing (2)", f"{ann.name} (you)", bob.name)
    bob.sees("Viewing (2)", f"{bob.name} (you)", ann.name)
    hide(bob.page, True)
    ann.sees("Viewing (1)", f"{ann.name} (you)", "Away (1)", bob.name)
    second = bob.page.context.new_page()
    second.goto(bob.page.url)
    ann.sees("Viewing (2)", f"{ann.name} (you)", bob.name)
    bob.page.close(run_before_unload=True)
    second.reload()
    ann.sees("Viewing (2)", f"{ann.name} (you)", bob.name)
    second.goto("about:blank")
    ann.sees("Viewing (1)", f"{ann.name} (you)")
    assert ann.complaints == []


def test_they_talk_and_only_an_operator_deletes(visit: Visit) -> None:
    ann, bob, operator = visit(ANN), visit(BOB), visit(OPERATOR)
    ann.say("hello bob")
    bob.reads("hello bob")
    bob.box.fill("first line")
    bob.box.press("Shift+Enter")
    bob.box.press_sequentially("second line")
    bob.chat.get_by_role("button", name="Send").click()
    assert "first line\nsecond line" in ann.reads("first line").inner_text()
    assert bob.box.input_value() == ""
    for one in (ann, bob):
        assert one.chat.get_by_role("button", name="Delete").count() == 0
    (first, _) = json.loads(get(ann.page.url + "api/chat/messages"))["messages"]
    assert delete(f"{ann.page.url}api/chat/messages/{first['id']}") == 403
    operator.reads("hello bob").get_by_role("button", name="Delete").click()
    operator.log.get_by_role("button", name="Really delete").click()
    for one in (ann, bob, operator):
        one.log.get_by_text("hello bob").wait_for(state="detached")
        one.reads("second line")
        assert one.complaints == []


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=DEADLINE) as answer:  # noqa: S310 (our own http URL)
        return str(answer.read().decode())


def test_no_draft_and_no_message_is_lost_when_services_die(
    visit: Visit, start: Start, chat: Service
) -> None:
    ann, bob = visit(ANN), visit(BOB)
    ann.say("before")
    bob.reads("before")
    chat.kill()
    ann.say("while chat was away")
    ann.chat.get_by_text("not there").wait_for()
    ann.say("and after it")
    ann.box.fill("a draft")
    ann.page.reload()
    ann.connection("live")
    assert ann.box.input_value() == "a draft"
    start("chat", **CHAT)
    for text in ("while chat was away", "and after it"):
        for one in (ann, bob):
            assert one.reads(text).count() == 1
    wait_for(ann.page, lambda: ann.chat.locator(".pending").is_hidden(), "nothing is left to send")
    order = bob.log.locator(".text").all_inner_texts()
    assert order == ["before", "while chat was away", "and after it"]


def test_whoever_reads_above_is_not_moved_and_told_what_is_new(visit: Visit) -> None:
    ann, bob = visit(ANN), visit(BOB)
    for number in range(20):
        ann.say(f"line {number}")
    bob.reads("line 19")
    at_end = "e => e.scrollHeight - e.scrollTop - e.clientHeight < 24"
    wait_for(bob.page, lambda: bool(bob.log.evaluate(at_end)), "bob is at the end")
    bob.log.evaluate("e => { e.scrollTop = 0; }")
    bob.page.wait_for_timeout(50)
    ann.say("one more")
    newer = bob.chat.get_by_role("button", name="1 new message")
    newer.wait_for()
    assert bob.log.evaluate("e => e.scrollTop") == 0
    assert bob.page.title().startswith("(1) ")
    newer.click()
    newer.wait_for(state="hidden")
    assert bob.log.evaluate(at_end) and not bob.page.title().startswith("(")
    assert bob.log.get_attribute("aria-live") == "polite"


def test_too_long_is_counted_and_not_sent(visit: Visit) -> None:
    ann = visit(ANN)
    ann.box.fill("😀" * 500)
    ann.chat.get_by_text("0 left").wait_for()
    ann.box.fill("😀" * 501)
    ann.chat.get_by_text("1 characters too many").wait_for()
    assert ann.chat.get_by_role("button", name="Send").is_disabled()
    ann.box.press("Enter")
    assert len(ann.box.input_value()) > 0


def test_whoever_is_too_fast_waits_and_loses_nothing(
    visit: Visit, start: Start, chat: Service
) -> None:
    chat.kill()
    start("chat", BEEPER_CHAT__PAUSE="0.05", BEEPER_CHAT__BURST="2", BEEPER_CHAT__RATE="1")
    ann, bob = visit(ANN), visit(BOB)
    for number in range(4):
        ann.say(f"line {number}")
    ann.chat.get_by_text("too fast").wait_for()
    bob.reads("line 3")
    assert bob.log.locator(".text").all_inner_texts() == [f"line {n}" for n in range(4)]


def test_what_is_said_is_text_and_never_runs(visit: Visit) -> None:
    ann, bob = visit(ANN), visit(BOB, width=390)
    requests: list[str] = []
    bob.page.on("request", lambda request: requests.append(request.url))
    for text in NASTY:
        ann.say(text)
    bob.reads(NASTY[-1][:2])
    shown: Any = bob.log.locator(".text").all_inner_texts()
    assert shown == [text.replace("e\u0301", "é") for text in NASTY]
    for one in (ann, bob):
        assert one.page.evaluate("() => globalThis.pwned") is None
        assert one.log.locator("img, svg, script, iframe, style, base, meta").count() == 0
        assert one.complaints == []
    assert not [url for url in requests if "evil" in url or url.endswith("/x")]
    assert bob.page.evaluate("() => document.documentElement.scrollWidth") <= 390


def test_names_are_text_and_never_run(visit: Visit, web: Web) -> None:
    ann = visit(ANN)
    names = [text for text in NASTY if text.isascii() and len(text) <= 64]
    for name in names:
        about = {"X_Remote_User": name, "X_Forwarded_For": BOB}
        assert web.post("/api/heartbeat", {}, **about).status == 200
        assert web.post("/api/chat/send", {"message": "here I am"}, **about).status == 200
    wait_for(ann.page, lambda: set(names) <= set(ann.viewers.evaluate(LINES)), "all are there")
    ann.reads(names[-1])
    said = ann.log.inner_text()
    assert all(name in said for name in names)
    assert ann.page.evaluate("() => globalThis.pwned") is None
    assert ann.page.locator("main").locator("svg, script, iframe, style, base").count() == 0
    assert ann.page.locator("img[src=x]").count() == 0
    assert ann.complaints == []


def test_the_pages_say_so_when_web_is_killed(visit: Visit, web: Web, start: Start) -> None:
    ann = visit(ANN)
    ann.say("before")
    ann.reads("before")
    web.service.kill()
    ann.connection("connection lost")
    ann.say("meanwhile")
    ann.chat.get_by_text("waiting").wait_for()
    start("web", **ACCESS, BEEPER_WEB__PORT=str(web.port))
    assert ann.reads("meanwhile").count() == 1
    wait_until(lambda: web.get("/api/chat/messages", X_Forwarded_For=ANN).status == 200, "web")
