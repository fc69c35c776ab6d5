"""The card of the past in a real Chromium: what it draws, and how it is moved."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from bus.messages import AudioLevel, SystemStats
from bus.topics import AUDIO, SYSTEM
from bus_camera import Camera
from conftest import DEADLINE, Broker, Service, Start, wait_until
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page
from web_station import Web

EVERY = 10
GAP = range(1200, 1800)
"""Seconds ago in which nothing was measured."""
DRAWN = """(chart, [from, to]) => {
  const canvas = chart.querySelector("canvas");
  const over = chart.querySelector(".u-over");
  const scale = canvas.width / canvas.clientWidth;
  const left = (over.offsetLeft + from * over.clientWidth) * scale;
  const width = Math.max(1, (to - from) * over.clientWidth * scale);
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  const { data } = context.getImageData(left, 0, width, canvas.height);
  let count = 0;
  for (let i = 0; i < data.length; i += 4) {
    // The first line's colour, #5eead4, and nothing that is mixed much.
    if (Math.abs(data[i] - 0x5e) + Math.abs(data[i + 1] - 0xea) + Math.abs(data[i + 2] - 0xd4) < 60
        && data[i + 3] > 200) count++;
  }
  return count;
}"""


def measure(camera: Camera) -> None:
    """An hour of sound and of the machine, with ten minutes missing."""
    now = time.time()
    for ago in range(3600, 0, -EVERY):
        if ago in GAP:
            continue
        level: dict[str, Any] = {"level_db": 40 + ago % 30, "level_dbfs": -50, "peak_dbfs": -40}
        camera.publish(AUDIO, AudioLevel(timestamp=now - ago, interval=EVERY, **level))
    stats = {"cpu_percent": 12.5, "memory_percent": 40, "disk_percent": 30, "load_1m": 0.5}
    counts = {"memory_used_bytes": 1, "memory_total_bytes": 2, "net_rx_bytes": 3, "net_tx_bytes": 4}
    about: dict[str, Any] = stats | counts | {"uptime_seconds": 1, "os": "x", "kernel": "y"}
    camera.publish(SYSTEM, SystemStats(timestamp=now - 1, interval=EVERY, **about))


@pytest.fixture
def past(start: Start) -> Service:
    return start("history")


@pytest.fixture
def page(broker: Broker, past: Service, start: Start, browser: Browser) -> Iterator[Page]:
    with Camera(broker.port) as camera:
        web = Web(start)
        wait_until(lambda: "service/web/status" in kept(web), "history hears")
        measure(camera)
        wait_until(lambda: {"audio/level", "system/stats"} <= kept(web), "it is kept")
        context = browser.new_context(viewport={"width": 1100, "height": 300})
        page = context.new_page()
        page.set_default_timeout(DEADLINE * 1000)
        page.on("console", complain)
        page.goto(f"http://{web.host}/")
        yield page
        context.close()


def kept(web: Web) -> set[str]:
    answer = web.get("/api/history/metrics")
    return {source["topic"] for source in answer.json().get("sources", [])}


def complain(message: ConsoleMessage) -> None:
    # That a service was away is told as an error of the network too.
    assert message.type not in ("error", "warning") or "503" in message.text, message.text


def card_of(page: Page) -> Locator:
    """The card, near enough to be drawn."""
    card = page.get_by_role("region", name="History")
    card.scroll_into_view_if_needed()
    card.locator("canvas").wait_for()
    return card


def drawn(card: Locator, begin: float, end: float) -> int:
    """Pixels of the first line between two parts of the chart."""
    return int(card.locator(".chart").evaluate(DRAWN, [begin, end]))


def test_gaps_are_gaps_and_it_is_moved_by_keys_buttons_and_dragging(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("button", name="Keys").wait_for()
    assert not [url for url in asked if "uplot" in url], "loaded before anybody sees it"
    card = card_of(page)
    card.get_by_role("button", name="Hour").click()
    when, line = card.locator(".when"), card.locator(".lines li").first
    line.get_by_text("Sound level (dB)").wait_for()
    line.get_by_text("40 to 60").wait_for()
    page.wait_for_function("() => document.querySelector('.spans [aria-pressed=true]')")
    assert drawn(card, 0.1, 0.4) > 50 and drawn(card, 0.8, 0.95) > 50
    assert drawn(card, 0.53, 0.64) == 0, "ten minutes without a reading are no line"

    chart = card.locator(".chart")
    chart.focus()
    now = when.inner_text()
    page.keyboard.press("ArrowLeft")
    assert when.inner_text() != now and "now" not in when.inner_text()
    page.keyboard.press("End")
    assert "now" in when.inner_text()
    wide = when.inner_text()
    page.keyboard.press("+")
    assert when.inner_text() != wide and card.locator(".spans [aria-pressed=true]").count() == 0
    card.get_by_role("button", name="Show a longer time").click()

    box = chart.locator(".u-over").bounding_box()
    assert box
    page.mouse.move(box["x"] + 100, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 400, box["y"] + 50)
    page.mouse.up()
    assert "now" not in when.inner_text()
    card.get_by_role("button", name="Now").click()
    assert "now" in when.inner_text()


def test_metrics_are_added_and_removed_and_the_choice_is_kept(page: Page) -> None:
    card = card_of(page)
    card.get_by_label("Add a metric").select_option("system/stats:cpu_percent")
    card.locator(".lines li").nth(1).get_by_text("last 12.5 %").wait_for()
    page.reload()
    card = card_of(page)
    card.locator(".lines li").nth(1).wait_for()
    card.get_by_role("button", name="Remove Sound level").click()
    card.get_by_role("button", name="Remove Sound level").wait_for(state="hidden")
    card.get_by_role("button", name="Remove").wait_for(state="hidden")
    assert card.locator(".lines .label").all_inner_texts() == ["Processor load (%)"]


def test_it_fits_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 700})
    card = card_of(page)
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    box = card.locator(".u-over").bounding_box()
    assert box and box["width"] > 220


def test_it_says_that_the_history_is_away_and_comes_back(
    page: Page, past: Service, start: Start
) -> None:
    card = card_of(page)
    past.kill()
    card.get_by_role("button", name="Week").click()
    words = "There is no history: the history service is not there."
    card.get_by_role("status").get_by_text(words).wait_for()
    start("history")
    card.get_by_role("status").get_by_text(words).wait_for(state="hidden")
    card.locator(".lines li").get_by_text("Sound level (dB)").wait_for()
