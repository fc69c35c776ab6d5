"""The picture comes back by itself on every rung, and tells its age by the station's clock."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import DEADLINE, free_port, wait_until
from faults import FAULTS, RECENT, RUNGS, filmed_after, moves
from onlooker import Onlooker, whole
from whole import Station

from .conftest import Visit

WRONG_CLOCK = """
{
  const True = Date;
  globalThis.Date = class extends True {
    constructor(...about) { about.length > 0 ? super(...about) : super(True.now() + 90_000); }
    static now() { return True.now() + 90_000; }
  };
  const origin = performance.timeOrigin + 90_000;
  Object.defineProperty(performance, "timeOrigin", { get: () => origin });
}
"""
NGINX = """
daemon off; pid {folder}/nginx.pid; error_log stderr error; worker_processes 1;
events {{ }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder};
  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port};
    location /secure/ {{
      proxy_pass http://127.0.0.1:{web}/; proxy_http_version 1.1; proxy_buffering off;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";
    }}
  }}
}}
"""


def on(onlooker: Onlooker, rung: str) -> None:
    """Wait until it plays on this rung."""
    onlooker.wait(moves, f"it plays on {rung}")
    assert onlooker.page.evaluate("() => beeper.players.csi.rung") == rung


@pytest.mark.parametrize("rung", RUNGS)
def test_the_picture_comes_back_without_a_reload(visit: Visit, station: Station, rung: str) -> None:
    onlooker = visit(f"?player={rung}")
    on(onlooker, rung)
    onlooker.page.evaluate("() => { globalThis.before = true; }")
    for fault, strike in FAULTS.items():
        strike(station)
        onlooker.wait(filmed_after(time.time()), f"the picture is back after the {fault}")
    assert onlooker.page.evaluate("() => globalThis.before"), "the page was loaded again"
    assert onlooker.page.evaluate("() => beeper.players.csi.rung") == rung
    onlooker.wait(lambda look: not look.banner, "nothing is missing")


@pytest.mark.parametrize("rung", RUNGS)
def test_a_clock_that_is_wrong_changes_neither_latency_nor_ages(visit: Visit, rung: str) -> None:
    onlooker = visit(f"?player={rung}", script=WRONG_CLOCK)
    on(onlooker, rung)
    onlooker.wait(lambda look: not [line for line in look.readings if "stale" in line], "no ages")
    measured = "beeper.players.csi.median(performance.now(), 3)"
    onlooker.page.wait_for_function(f"() => {measured} !== null")
    assert 0 < onlooker.page.evaluate(measured) < RECENT * 1000


@pytest.fixture
def proxied(station: Station, tmp_path: Path) -> Iterator[str]:
    """The page's path behind a plain HTTP reverse proxy."""
    port = free_port()
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(NGINX.format(folder=tmp_path, port=port, web=station.port))
    nginx = subprocess.Popen(["nginx", "-c", str(configuration), "-e", "stderr"])
    wait_until(lambda: (tmp_path / "nginx.pid").exists(), "nginx runs")
    yield f"http://127.0.0.1:{port}/secure/"
    nginx.terminate()
    nginx.wait(DEADLINE)


def test_behind_a_proxy_with_a_prefix_it_plays_over_the_websocket(
    visit: Visit, proxied: str
) -> None:
    onlooker = visit()
    onlooker.page.goto(proxied)
    onlooker.wait(whole, "the page is whole behind the proxy")
    assert onlooker.page.evaluate("() => beeper.players.csi.rung") == "webcodecs"
