"""A station and a Chromium for the tests of this folder, and somebody who looks at the page."""

from collections.abc import Callable, Iterator

import pytest
from chromium import CHROMIUM, FLAGS
from conftest import DEADLINE
from onlooker import Onlooker, whole
from playwright.sync_api import Browser, Playwright, expect, sync_playwright
from whole import Station

PLAIN = "station.test"
"""A name that is not localhost: plain http from there is no secure context."""

Visit = Callable[..., Onlooker]

# It ends with this folder: its event loop would stand in the way of other tests' own.


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    expect.set_options(timeout=DEADLINE * 1000)
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    names = f"--host-resolver-rules=MAP {PLAIN} 127.0.0.1"
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, names])
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    station = Station(
        tmp_path_factory.mktemp("station"),
        BEEPER_SENSORS__INTERVAL="1.5",
        BEEPER_ACCESS__HOSTS=f'["{PLAIN}"]',
        BEEPER_CAMERA__CSI__STALL_TIMEOUT="3",
    )
    station.wait_ready()
    yield station
    station.close()


@pytest.fixture
def visit(station: Station, browser: Browser) -> Iterator[Visit]:
    """`visit("?player=mjpeg")`: the page, opened by somebody who has never been there."""
    onlookers: list[Onlooker] = []

    def visit(
        path: str = "", host: str = "127.0.0.1", script: str = "", width: int = 1280
    ) -> Onlooker:
        context = browser.new_context(viewport={"width": width, "height": 900})
        page = context.new_page()
        if script:
            page.add_init_script(script)
        onlooker = Onlooker(page, f"http://{host}:{station.port}/{path}")
        onlookers.append(onlooker)
        return onlooker

    yield visit
    for onlooker in onlookers:
        onlooker.page.context.close()


@pytest.fixture
def onlooker(visit: Visit) -> Onlooker:
    """The page, whole."""
    onlooker = visit()
    onlooker.wait(whole, "the page is whole")
    return onlooker
