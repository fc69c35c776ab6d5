"""How the page climbs down and up again when its ways to the station are blocked and freed.

UDP is blocked by the network: Chromium stands in a namespace behind `tests/link.py`. WebSockets
and HLS pass the same port as everything else, so that the page itself is kept from using them.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from chromium import CHROMIUM, FLAGS
from link import Link, Quality, possible
from onlooker import Look, Onlooker
from playwright.sync_api import Browser, Playwright, Route
from whole import Station

from .conftest import PLAIN

SECURE = "secure.test"
"""A name that Chromium is told to trust as if it were https."""
ONE_CAMERA = 'localStorage["beeper.player.usb"] = "mjpeg";'
TOGETHER = 5.0
"""Seconds for which two streams of one camera may be open."""
STREAMS = """
globalThis.streams = [];
globalThis.socketsBlocked = false;
{
  const open = (kind) => {
    const stream = { kind, from: performance.now(), to: null };
    streams.push(stream);
    return () => (stream.to ??= performance.now());
  };
  const { RTCPeerConnection: Peer, WebSocket: Socket } = globalThis;
  globalThis.RTCPeerConnection = class extends Peer {
    #ended = open("webrtc");
    close() { this.#ended(); super.close(); }
  };
  const sockets = new Set();
  globalThis.WebSocket = class extends Socket {
    constructor(url) {
      const live = url.includes("/live/");
      super(live && socketsBlocked ? url.replace("/live/", "/nowhere/") : url);
      if (!live) return;
      const ended = open("websocket");
      sockets.add(this);
      this.addEventListener("close", () => { ended(); sockets.delete(this); });
      this.ended = ended;
    }
    close() { this.ended?.(); super.close(); }
  };
  globalThis.blockSockets = (blocked) => {
    socketsBlocked = blocked;
    if (blocked) for (const socket of sockets) Socket.prototype.close.call(socket);
  };
}
"""

pytestmark = pytest.mark.skipif(not possible(), reason="needs root and /dev/net/tun")

Go = Callable[[str], Onlooker]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Link]:
    link = Link(f"bk{os.getpid()}", tmp_path_factory.mktemp("link"))
    yield link
    link.close()


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory, network: Link) -> Iterator[Station]:
    """A station that is reached from elsewhere."""
    station = Station(
        tmp_path_factory.mktemp("outside"),
        BEEPER_WEB__HOST="0.0.0.0",  # noqa: S104 (from the namespace)
        BEEPER_ACCESS__HOSTS=json.dumps([PLAIN, SECURE]),
    )
    station.wait_ready()
    yield station
    station.close()


@pytest.fixture(scope="module")
def far(playwright: Playwright, network: Link, outside: Station) -> Iterator[Browser]:
    names = f"MAP {PLAIN} {network.here}, MAP {SECURE} {network.here}"
    trust = f"--unsafely-treat-insecure-origin-as-secure=http://{SECURE}:{outside.port}"
    browser = playwright.chromium.launch(
        executable_path=network.program(CHROMIUM),
        args=[*FLAGS, f"--host-resolver-rules={names}", trust],
    )
    yield browser
    browser.close()


@pytest.fixture
def go(far: Browser, network: Link, outside: Station) -> Iterator[Go]:
    """`go(PLAIN)`: the page under that name; the network is a good one before and after."""
    network.set(Quality())
    page = far.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.add_init_script(ONE_CAMERA + STREAMS)
    yield lambda host: Onlooker(page, f"http://{host}:{outside.port}/")
    network.set(Quality())
    page.context.close()


def on(label: str) -> Callable[[Look], bool]:
    """Whether camera csi says that it plays so, and how late."""

    def plays(look: Look) -> bool:
        card = look.cameras.get("csi")
        return card is not None and bool(re.search(rf"Live\s+{label}\s+\d+ ms", card.text))

    return plays


def together(onlooker: Onlooker) -> float:
    """The longest time in seconds for which two streams were open at once."""
    streams: list[dict[str, Any]] = onlooker.page.evaluate(
        "() => streams.map((one) => ({ ...one, to: one.to ?? performance.now() }))"
    )
    overlaps = [
        min(one["to"], other["to"]) - max(one["from"], other["from"])
        for i, one in enumerate(streams)
        for other in streams[:i]
    ]
    return float(max([*overlaps, 0.0])) / 1000


def test_where_udp_is_blocked_the_page_says_so_and_comes_back_when_it_is_not(
    go: Go, network: Link
) -> None:
    network.set(Quality(udp=False))
    onlooker = go(PLAIN)
    look = onlooker.wait(on("MSE"), "it plays over the WebSocket")
    assert "your network blocks UDP" in look.cameras["csi"].text
    network.set(Quality())
    onlooker.wait(on("WebRTC"), "it is back on the best")
    assert together(onlooker) < TOGETHER


def test_the_ladder_goes_down_to_what_is_left_and_up_again(go: Go, network: Link) -> None:
    onlooker = go(SECURE)
    onlooker.page.evaluate("() => { globalThis.before = true; }")
    onlooker.wait(on("WebCodecs"), "it plays the fastest way")
    onlooker.page.evaluate("() => blockSockets(true)")
    look = onlooker.wait(on("WebRTC"), "without WebSockets it plays over WebRTC")
    assert "WebSocket" in look.cameras["csi"].text
    network.set(Quality(udp=False))
    onlooker.wait(on("HLS"), "without UDP it plays HLS")

    def refuse(route: Route) -> None:
        route.abort()

    onlooker.page.route("**/*_camera/**", refuse)
    onlooker.wait(on("MJPEG"), "without HLS pictures come")
    onlooker.page.unroute("**/*_camera/**")
    network.set(Quality())
    onlooker.page.evaluate("() => blockSockets(false)")
    onlooker.wait(on("WebCodecs"), "it is back on the best")
    assert together(onlooker) < TOGETHER
    assert onlooker.page.evaluate("() => globalThis.before"), "the page was loaded again"
