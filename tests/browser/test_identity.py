"""Who the page takes its viewer for, and what a name may look like."""

import contextlib
from collections.abc import Iterator

import pytest
from conftest import DEADLINE
from onlooker import Onlooker
from playwright.sync_api import Browser
from web.passwords import HASHER, write
from whole import Station

from .test_rubbish import MARKUP

PASSWORD = "correct horse"  # noqa: S105 (of this test only)


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    folder = tmp_path_factory.mktemp("station")
    users = folder / "users"
    write(users, {"olga": HASHER.hash(PASSWORD)})
    station = Station(
        folder,
        BEEPER_ACCESS__PASSWORD_FILE=str(users),
        BEEPER_ACCESS__OPERATORS='["olga"]',
        BEEPER_ACCESS__USER_HEADER="X-Remote-User",
        BEEPER_ACCESS__SESSION="4",
    )
    station.wait_ready()
    yield station
    station.close()


@contextlib.contextmanager
def open_as(
    browser: Browser, station: Station, path: str = "", **headers: str
) -> Iterator[Onlooker]:
    context = browser.new_context(
        http_credentials={"username": "olga", "password": PASSWORD} if not headers else None,
        extra_http_headers={name.replace("_", "-"): value for name, value in headers.items()},
    )
    onlooker = Onlooker(context.new_page(), station.url + path)
    yield onlooker
    context.close()


def test_a_device_at_home_may_sign_in_and_stays_signed_in(
    browser: Browser, station: Station
) -> None:
    with open_as(browser, station) as onlooker:
        page = onlooker.page
        page.locator("#me .who", has_text="local-127.0.0.1").wait_for()
        page.get_by_role("link", name="Sign in").click()
        page.locator("#me .who", has_text="olga (operator)").wait_for()
        # The session ends after 4 s, and with it the socket; the page is back by itself.
        page.wait_for_event(
            "websocket", lambda socket: "events" in socket.url, timeout=DEADLINE * 1000
        )
        onlooker.wait(lambda look: look.connection == "live", "the page is back")
        assert page.locator("#me .who").inner_text() == "olga (operator)"


def test_whoever_signs_out_at_home_is_nobody_until_he_signs_in_again(
    browser: Browser, station: Station
) -> None:
    with open_as(browser, station) as onlooker:
        page = onlooker.page
        page.get_by_role("link", name="Sign in").click()
        page.locator("#me .who", has_text="olga (operator)").wait_for()
        # The browser goes on sending the password by itself, and nobody believes it.
        page.get_by_role("button", name="Sign out").click()
        page.locator("#me .who", has_text="local-127.0.0.1").wait_for()
        onlooker.wait(lambda look: look.connection == "live", "the page is there")
        page.reload()
        page.locator("#me .who", has_text="local-127.0.0.1").wait_for()
        assert page.get_by_role("button", name="Sign out").count() == 0
        page.get_by_role("link", name="Sign in").click()
        page.locator("#me .who", has_text="olga (operator)").wait_for()


def test_a_name_is_text_whatever_is_in_it(browser: Browser, station: Station) -> None:
    name = MARKUP[:64]
    with open_as(browser, station, X_Remote_User=f"{name}@example.org") as onlooker:
        onlooker.page.locator("#me .who", has_text=name).wait_for()
        assert onlooker.page.evaluate("() => globalThis.pwned") is None
        assert onlooker.page.locator("#me img, #me script").count() == 0
        assert onlooker.violations() == []
