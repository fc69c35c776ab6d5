"""The page below /secure/ of a TLS site, through the shipped nginx: every way to watch."""

import re
from collections.abc import Iterator

import pytest
from onlooker import Onlooker, whole
from playwright.sync_api import Browser
from shipped_nginx import ShippedNginx
from whole import Station

WAYS = {"": "WebCodecs", "webrtc": "WebRTC", "hls": "HLS", "mjpeg": "MJPEG"}


@pytest.fixture(scope="module")
def nginx(station: Station, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShippedNginx]:
    nginx = ShippedNginx(tmp_path_factory.mktemp("nginx"), station.port, "secure/")
    yield nginx
    nginx.stop()


@pytest.mark.parametrize("player", WAYS)
def test_both_cameras_play_below_a_prefix(
    nginx: ShippedNginx, browser: Browser, player: str
) -> None:
    context = browser.new_context(ignore_https_errors=True)
    onlooker = Onlooker(context.new_page(), f"{nginx.url}?player={player}")
    badge = re.compile(rf"\b{WAYS[player]}\s+\d+ ms\b")
    look = onlooker.wait(
        lambda look: (
            all(badge.search(camera.text) for camera in look.cameras.values()) and whole(look)
        ),
        f"both play by {WAYS[player]}",
    )
    assert len(look.cameras) == 2
    here = (nginx.url, nginx.url.replace("https", "wss"), "blob:")
    assert [url for url in onlooker.requests if not url.startswith(here)] == []
    assert onlooker.violations() == []
    context.close()
