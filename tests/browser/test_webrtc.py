"""WebRTC in a real Chromium: it plays, and what the page says of the picture's age is true."""

import re
import statistics

from onlooker import Look

from .conftest import PLAIN, Visit

PAIRS = """
globalThis.pairs = [];
(() => {
  const followed = new Set();
  function follow(video, player) {
    const presented = (_, { expectedDisplayTime: moment }) => {
      const drawn = drawnAt(video, video.videoWidth);
      const wall = (performance.timeOrigin + moment) % 2 ** 32;
      queueMicrotask(() => {
        const own = player.latencyMs.findLast(({ t }) => t === moment);
        if (own && drawn !== null) pairs.push([own.latency, wall - drawn]);
      });
      video.requestVideoFrameCallback(presented);
    };
    video.requestVideoFrameCallback(presented);
  }
  setInterval(() => {
    for (const player of Object.values(globalThis.beeper?.players ?? {})) {
      if (!(player.element instanceof HTMLVideoElement) || followed.has(player.element)) continue;
      followed.add(player.element);
      follow(player.element, player);
    }
  }, 50);
})();
"""
SYNC = """async () => {
  const found = {};
  for (const peer of peers) {
    for (const report of (await peer.getStats()).values()) {
      if (report.type === "inbound-rtp" && report.estimatedPlayoutTimestamp)
        found[report.kind] = report.estimatedPlayoutTimestamp;
    }
  }
  return "audio" in found && "video" in found ? found.audio - found.video : null;
}"""
TOGETHER = f"""async () => {{
  for (let look = 0; look < 20; look++) {{
    if (Math.abs((await ({SYNC})()) ?? 1e9) > 80) return false;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }}
  return true;
}}"""
PEERS = """
globalThis.peers = [];
const Peer = RTCPeerConnection;
globalThis.RTCPeerConnection = class extends Peer {
  constructor(...given) { super(...given); peers.push(this); }
};
"""
NO_UDP = """
const Peer = RTCPeerConnection;
globalThis.RTCPeerConnection = class extends Peer {
  constructor(about) { super({ ...about, iceTransportPolicy: "relay" }); }
  setRemoteDescription({ type, sdp }) {
    return super.setRemoteDescription({ type, sdp: sdp.replace(/^a=candidate.*\\r\\n/gm, "") });
  }
};
"""


def plays(look: Look) -> bool:
    """Whether both cameras say that WebRTC plays them."""
    badges = [camera.text for camera in look.cameras.values()]
    return len(badges) == 2 and all(re.search(r"\bWebRTC\s+\d+ ms\b", badge) for badge in badges)


def test_the_age_that_the_page_tells_is_that_of_the_clock_in_the_picture(visit: Visit) -> None:
    onlooker = visit("?player=webrtc", script=PAIRS)
    look = onlooker.wait(plays, "both cameras play on WebRTC")
    assert {camera.kind for camera in look.cameras.values()} == {"video"}
    onlooker.page.wait_for_function("() => pairs.length > 60")
    pairs = onlooker.page.evaluate("() => pairs.slice(-60)")
    # The picture is drawn before it is captured, by a pipe's length.
    assert abs(statistics.median(drawn - own for own, drawn in pairs)) < 40
    assert not onlooker.complaints


def test_sound_and_picture_belong_together(visit: Visit) -> None:
    onlooker = visit("?player=webrtc", script=PEERS)
    onlooker.wait(plays, "both cameras play on WebRTC")
    onlooker.page.get_by_role("article", name="usb").get_by_role("button", name="Unmute").click()
    onlooker.page.wait_for_function(TOGETHER)


def test_without_udp_the_page_says_so_and_goes_on(visit: Visit) -> None:
    onlooker = visit(host=PLAIN, script=NO_UDP)
    onlooker.wait(
        lambda look: all(
            "MSE" in camera.text and "your network blocks UDP" in camera.text
            for camera in look.cameras.values()
        ),
        "MSE plays, and the page says why",
    )
