"""The page by keyboard, by screen reader, and on a phone."""

from typing import Any

import pytest
from onlooker import Onlooker, whole
from playwright.sync_api import Page

from .conftest import Visit

CONTROLS = "a[href], button, select, summary, input, textarea, [tabindex]:not([tabindex='-1'])"
FOCUSABLE = f"""() => [...document.querySelectorAll("{CONTROLS}")]
  .filter((e) => e.checkVisibility() && !e.disabled).length"""
FOCUSED = """() => {
  const e = document.activeElement;
  if (e === document.body) return null;
  const { outlineStyle, outlineWidth } = getComputedStyle(e);
  globalThis.order ??= new Map();
  if (!order.has(e)) order.set(e, order.size);
  return { at: order.get(e), ring: outlineStyle !== "none" && outlineWidth !== "0px",
           html: e.outerHTML.slice(0, 80) };
}"""
OVERFLOW = """() => [...document.body.querySelectorAll("*")]
  .filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 0.5
    && !e.closest(".unseen, .skip"))
  .map((e) => e.outerHTML.slice(0, 80))"""
ROLES = {"button", "combobox", "link", "DisclosureTriangle", "checkbox", "textbox", "image", "img"}


def tab_through(page: Page) -> list[dict[str, Any]]:
    """Every element that Tab reaches, in order."""
    seen: list[dict[str, Any]] = []
    for _ in range(100):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None or focused["at"] < len(seen):
            break
        seen.append(focused)
    return seen


def test_every_control_is_reached_by_keyboard_and_seen_to_be(onlooker: Onlooker) -> None:
    reached = tab_through(onlooker.page)
    assert len(reached) == onlooker.page.evaluate(FOCUSABLE) >= 9
    assert [one["html"] for one in reached if not one["ring"]] == []


def test_the_keyboard_works_the_controls(onlooker: Onlooker) -> None:
    card = onlooker.page.get_by_role("article", name="Camera usb")
    card.get_by_role("button", name="Unmute").focus()
    onlooker.page.keyboard.press("Enter")
    card.get_by_role("button", name="Mute", exact=True).wait_for()
    card.get_by_text("Video statistics").focus()
    onlooker.page.keyboard.press("Enter")
    card.get_by_text("Frames received").wait_for()
    card.get_by_role("button", name="Snapshot").focus()
    with onlooker.page.expect_download() as download:
        onlooker.page.keyboard.press("Enter")
    assert download.value.suggested_filename.startswith("usb_")


def test_everything_that_acts_or_is_a_picture_has_a_name(onlooker: Onlooker) -> None:
    cdp = onlooker.page.context.new_cdp_session(onlooker.page)
    nodes = cdp.send("Accessibility.getFullAXTree")["nodes"]
    found = [node for node in nodes if not node["ignored"] and node["role"]["value"] in ROLES]
    assert len(found) >= 10
    assert [node for node in found if not node.get("name", {}).get("value")] == []


@pytest.mark.parametrize("player", ["", "?player=mse", "?player=mjpeg"])
def test_a_phone_never_scrolls_sideways(visit: Visit, player: str) -> None:
    onlooker = visit(player, width=390)
    onlooker.wait(whole, "the page is whole")
    for summary in onlooker.page.get_by_text("Video statistics").all():
        summary.click()
    assert onlooker.page.evaluate("() => document.documentElement.scrollWidth") <= 390
    assert onlooker.page.evaluate(OVERFLOW) == []
