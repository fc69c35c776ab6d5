"""Somebody who looks at the page: what it shows, in words, and how old the picture really is.

The age of a picture does not come from the page: the `test` camera draws the wall clock into it,
and that is read back from the screen and compared with the clock of this process.
"""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from conftest import DEADLINE
from playwright.sync_api import ConsoleMessage, Page

FRESH = 1.0
"""Seconds: a live picture is younger."""
WRAP = 2**32

CLOCK = """
globalThis.drawnAt = (() => {
  const CELLS = 40;
  const canvas = new OffscreenCanvas(CELLS * 4, 4);
  const context = canvas.getContext("2d", { willReadFrequently: true });

  function crc8(bytes) {
    let crc = 0;
    for (const byte of bytes) {
      crc ^= byte;
      for (let i = 0; i < 8; i++) crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : (crc << 1) & 0xff;
    }
    return crc;
  }

  /** The wall clock in a picture of the camera `test`: Unix ms modulo 2³², null if unreadable. */
  return (source, width) => {
    if (!width) return null;
    context.drawImage(source, 0, 6, width, 4, 0, 0, CELLS * 4, 4);
    const { data } = context.getImageData(0, 2, CELLS * 4, 1);
    const bytes = [0, 0, 0, 0, 0];
    for (let cell = 0; cell < CELLS; cell++) {
      if (data[(cell * 4 + 2) * 4] > 128) bytes[cell >> 3] |= 0x80 >> (cell & 7);
    }
    if (crc8(bytes.slice(0, 4)) !== bytes[4]) return null;
    return ((bytes[0] << 24) | (bytes[1] << 16) | (bytes[2] << 8) | bytes[3]) >>> 0;
  };
})();
"""

WITNESS = """
globalThis.witness = { violations: [], said: [] };
addEventListener("securitypolicyviolation", (event) => {
  witness.violations.push(`${event.violatedDirective}: ${event.blockedURI}`);
});
new MutationObserver(() => {
  const banner = document.getElementById("banner");
  if (banner && !banner.hidden) witness.said.push(banner.textContent);
}).observe(document, { childList: true, subtree: true, attributes: true, characterData: true });
"""

LOOK = """() => {
  const text = (element) => (element?.checkVisibility() ? element.innerText : "");
  const lines = (element) => text(element).split(/\\s*\\n\\s*/).filter(Boolean).join(" ");
  const items = (place) => [...(place?.querySelectorAll("li") ?? [])].map(lines);
  const region = (title) => document.querySelector(`section[aria-labelledby="${title}-title"]`);
  const cameras = {};
  for (const card of document.querySelectorAll("article")) {
    const name = card.querySelector("h2").textContent;
    const element = globalThis.beeper.players[name]?.element ?? null;
    const width = element?.videoWidth ?? element?.naturalWidth ?? element?.width;
    const drawn = element?.isConnected ? drawnAt(element, width) : null;
    cameras[name] = { text: lines(card), drawn, kind: element?.localName ?? null };
  }
  const readings = ["environment", "system", "sensor", "sound"];
  const banner = document.getElementById("banner");
  return {
    banner: banner.checkVisibility() ? items(banner) : [],
    connection: text(document.getElementById("connection")),
    services: items(region("station")),
    readings: readings.flatMap((title) => items(region(title))),
    cameras,
  };
}"""


class Camera(NamedTuple):
    """One card of the page."""

    text: str
    kind: str | None
    """canvas, video or img."""
    age: float | None
    """Seconds since the picture on the screen was drawn; None when none can be read."""


class Look(NamedTuple):
    """What the page shows at one moment."""

    banner: list[str]
    connection: str
    services: dict[str, str]
    """Instance → all that is said of it, its state first."""
    readings: list[str]
    cameras: dict[str, Camera]

    @property
    def missing(self) -> list[str]:
        """Everything that is not as it should be; a page that is whole has nothing here."""
        wrong = [*self.banner]
        if self.connection != "live":
            wrong.append(f"the page says {self.connection}")
        wrong += [f"{n}: {s}" for n, s in self.services.items() if not s.startswith("online")]
        wrong += [line for line in self.readings if "stale" in line]
        for name, camera in self.cameras.items():
            if camera.age is None or camera.age > FRESH:
                wrong.append(f"the picture of {name} is {camera.age} s old")
        return wrong


class Onlooker:
    """A page of Chromium and those who look at it; collects what the page gets wrong."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.set_default_timeout(DEADLINE * 1000)
        page.add_init_script(CLOCK + WITNESS)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda socket: self.requests.append(socket.url))
        page.goto(url)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def look(self) -> Look:
        """Everything that is on the page now."""
        seen = self.page.evaluate(LOOK)
        now = time.time() * 1000
        return Look(
            banner=seen["banner"],
            connection=seen["connection"],
            services=dict(line.split(" ", 1) for line in seen["services"]),
            readings=seen["readings"],
            cameras={name: camera(about, now) for name, about in seen["cameras"].items()},
        )

    def wait(self, condition: Callable[[Look], object], what: str) -> Look:
        """Look again and again until it is so."""
        end = time.monotonic() + DEADLINE
        while not condition(look := self.look()):
            if time.monotonic() > end:
                pytest.fail(f"never: {what}; missing {look.missing}; all in all {look}")
            self.page.wait_for_timeout(20)
        return look

    def said(self) -> str:
        """All that ever stood at the top of the page."""
        return "\n".join(self.page.evaluate("() => witness.said"))

    def forget(self) -> None:
        """What was said until now does not count."""
        self.page.evaluate("() => { witness.said.length = 0; }")

    def violations(self) -> list[str]:
        """What the content security policy has stopped."""
        return list(self.page.evaluate("() => witness.violations"))


def camera(about: dict[str, Any], now: float) -> Camera:
    """One card; the clock in its picture counts milliseconds modulo 2³²."""
    drawn = about["drawn"]
    age = None if drawn is None else ((now - drawn + WRAP / 2) % WRAP - WRAP / 2) / 1000
    return Camera(about["text"], about["kind"], age)


def whole(look: Look, services: int = 6, cameras: int = 2) -> bool:
    """Whether everything is there and nothing is missing."""
    there = len(look.services) >= services and len(look.cameras) >= cameras
    return there and bool(look.readings) and not look.missing
