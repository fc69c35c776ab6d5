"""How soon the page plays where ways of watching are blocked, in headless Chromium.

    python benchmarks/fallback.py

Milliseconds from the page's first request for video to its first picture, and what the badge says.
`http` is a name that Chromium does not trust, where it has no WebCodecs; localhost is trusted.
Blocked are: UDP (the answer's candidates are taken away), the WebSocket of the video (404), HLS
(the request is aborted).
"""

import argparse
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from chromium import CHROMIUM, FLAGS
from glass import ASKED
from whole import Station

PLAIN = "station.test"
MOST = 4000
BLOCK = {
    "UDP": """
const Peer = RTCPeerConnection;
globalThis.RTCPeerConnection = class extends Peer {
  setRemoteDescription({ type, sdp }) {
    return super.setRemoteDescription({ type, sdp: sdp.replace(/^a=candidate.*\\r\\n/gm, "") });
  }
};
""",
    "WebSocket": "globalThis.socketsBlocked = true;",
    "HLS": "",
}
CASES = [
    ("localhost", [], "webcodecs"),
    ("localhost", ["UDP"], "webcodecs"),
    ("localhost", ["WebSocket"], "webrtc"),
    ("localhost", ["WebSocket", "UDP"], "hls"),
    ("localhost", ["WebSocket", "UDP", "HLS"], "mjpeg"),
    (PLAIN, [], "webrtc"),
    (PLAIN, ["UDP"], "mse"),
    (PLAIN, ["UDP", "WebSocket"], "hls"),
    (PLAIN, ["UDP", "WebSocket", "HLS"], "mjpeg"),
]
FOUND = """() => {
  const { rung, firstPictureMs } = Object.values(beeper.players)[0];
  return { rung, after: firstPictureMs - asked, badge: document.querySelector(".badge").innerText };
}"""


def visit(browser: Browser, station: Station, host: str, blocked: list[str]) -> dict[str, str]:
    """The page until it plays."""
    page = browser.new_page()
    page.add_init_script(ASKED + "".join(BLOCK[one] for one in blocked))
    if "HLS" in blocked:
        page.route("**/*.m3u8*", lambda route: route.abort())
    page.goto(f"http://{host}:{station.port}/")
    page.wait_for_function(
        "() => Object.values(globalThis.beeper?.players ?? {})[0]?.firstPictureMs"
    )
    page.wait_for_timeout(500)
    found: dict[str, str] = page.evaluate(FOUND)
    page.close()
    return found


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    kept = True
    flags = [*FLAGS, f"--host-resolver-rules=MAP {PLAIN} 127.0.0.1"]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        known = {"BEEPER_ACCESS__HOSTS": f'["{PLAIN}"]'}
        station = Station(Path(folder), BEEPER_CAMERA__USB__ENABLED="false", **known)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        try:
            station.wait_ready()
            for host, blocked, rung in CASES:
                found = visit(browser, station, host, blocked)
                after = float(found["after"])
                kept = kept and found["rung"] == rung and after < MOST
                where = f"{'http' if host == PLAIN else host}, {' and '.join(blocked) or 'nothing'}"
                badge = " ".join(found["badge"].split())
                print(f"{where + ' blocked':<45}{after:6.0f} ms  {found['rung']:<10} “{badge}”")
        finally:
            browser.close()
            station.close()
    print(f"target: {MOST} ms")
    sys.exit(not kept)


if __name__ == "__main__":
    main()
