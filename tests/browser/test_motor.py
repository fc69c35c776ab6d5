"""The motor's card: what an operator can do with it, and what everybody else sees."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import DEADLINE, Broker, Service, starter, wait_until
from motor import Trace
from playwright.sync_api import Browser, Locator, Page, expect
from web_station import Web

OPERATORS = '["local-127.0.0.1"]'
TURN = {"BEEPER_STEPPER__ENABLED": "true", "BEEPER_STEPPER__DRIVER": "simulated"}


class Site:
    """A broker, a web that knows an operator, one that knows none, and perhaps a motor."""

    def __init__(self, folder: Path, browser: Browser) -> None:
        self.trace = Trace(folder / "edges")
        self.browser = browser
        (folder / "mosquitto").mkdir()
        self.broker = Broker(folder / "mosquitto")
        self.broker.start()
        self._starting = starter(self.broker, folder)
        self.start = self._starting.__enter__()
        self.ours = Web(self.start, BEEPER_ACCESS__OPERATORS=OPERATORS)
        self.theirs = Web(self.second)
        self._pages: list[Page] = []

    def second(self, name: str, **settings: str) -> Service:
        return self.start(name, "2", **settings)

    def turn(self) -> None:
        """Give it a motor."""
        self.start("stepper", BEEPER_STEPPER__TRACE=str(self.trace.path), **TURN)
        for web in (self.ours, self.theirs):
            wait_until(lambda: web.get("/api/stepper/status").status == 200, "there is a motor")  # noqa: B023

    def visit(self, web: Web) -> Page:
        page = self.browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(DEADLINE * 1000)
        page.goto(f"http://{web.host}/")
        self._pages.append(page)
        return page

    def close(self) -> None:
        for page in self._pages:
            page.close()
        self._starting.__exit__(None, None, None)
        self.broker.stop()


@pytest.fixture
def site(tmp_path: Path, browser: Browser) -> Iterator[Site]:
    site = Site(tmp_path, browser)
    yield site
    site.close()


def card(page: Page) -> Locator:
    return page.get_by_role("region", name="Motor")


def press(page: Page, name: str) -> None:
    button = card(page).get_by_role("button", name=name, exact=True)
    expect(button).to_be_enabled()
    button.click()


def shows(page: Page, name: str, words: str) -> None:
    fact = card(page).locator("dl > div", has=page.locator("dt", has_text=name)).locator("dd")
    expect(fact).to_contain_text(words, timeout=DEADLINE * 1000)


def test_there_is_no_card_without_a_motor_and_one_as_soon_as_there_is(site: Site) -> None:
    page = site.visit(site.ours)
    expect(page.locator("#connection")).to_have_text("live", timeout=DEADLINE * 1000)
    expect(page.locator(".motor")).to_be_hidden()
    site.turn()
    expect(card(page)).to_be_visible()
    expect(card(page)).to_contain_text("simulated")
    shows(page, "Position", "unknown")
    expect(card(page).get_by_role("button", name="Open")).to_be_disabled()


def test_an_operator_moves_it_and_sees_where_it_really_is(site: Site) -> None:
    site.turn()
    page = site.visit(site.ours)
    press(page, "Enable")
    expect(card(page)).to_contain_text("holding")
    shows(page, "Steers", "local-127.0.0.1 (you)")
    press(page, "Home is here")
    shows(page, "Position", "0 steps")
    expect(card(page).get_by_role("button", name="Close")).to_be_disabled()
    press(page, "Open")
    shows(page, "Position", "200 steps")
    shows(page, "Last movement", "arrived")
    assert len(site.trace.pulses()) == 200
    card(page).get_by_label("Steps").fill("10")
    press(page, "− Step")
    shows(page, "Position", "190 steps")
    card(page).get_by_label("Steps").fill("900")
    press(page, "+ Step")
    expect(card(page)).to_contain_text("1090")
    press(page, "Disable")
    expect(card(page)).to_contain_text("off")
    shows(page, "Steers", "nobody")


def test_escape_in_the_card_stops_it(site: Site) -> None:
    site.turn()
    page = site.visit(site.ours)
    press(page, "Enable")
    press(page, "Home is here")
    card(page).get_by_label("Steps").fill("900")
    press(page, "+ Step")
    expect(card(page)).to_contain_text("moving")
    page.keyboard.press("Escape")
    shows(page, "Last movement", "was stopped")
    wait_until(lambda: not site.trace.enabled, "ENABLE is off")
    assert len(site.trace.pulses()) < 900


def test_a_viewer_sees_it_move_and_stop_with_the_page_of_its_operator(site: Site) -> None:
    site.turn()
    viewer = site.visit(site.theirs)
    expect(card(viewer)).to_contain_text("access.operators")
    expect(card(viewer).get_by_role("button")).to_have_count(0)
    operator = site.visit(site.ours)
    press(operator, "Enable")
    press(operator, "Home is here")
    card(operator).get_by_label("Steps").fill("900")
    press(operator, "+ Step")
    expect(card(viewer)).to_contain_text("moving")
    shows(viewer, "Steers", "local-127.0.0.1")
    operator.close()
    shows(viewer, "Last movement", "its operator's page was not heard")
    expect(card(viewer)).to_contain_text("off")
    assert 0 < len(site.trace.pulses()) < 900
