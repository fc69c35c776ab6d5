"""Who reaches a new station, and that nobody else's is opened."""

import os
import tomllib
from ipaddress import ip_address
from pathlib import Path

import pytest
from bus.networks import on_link
from conftest import Start
from station import plan, reach
from web_station import Web

OPEN = {"web": {"host": "::", "port": 8080}, "access": {"anonymous": ["link"]}}
CLOSING = "host={host}"


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the station, and settings that nobody has made."""
    for name in [name for name in os.environ if name.startswith("BEEPER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BEEPER_CONFIG", str(tmp_path / "beeper.toml"))
    # What is set below is taken back.
    for name in (reach.HOST, reach.ANONYMOUS, reach.DIAGNOSTICS):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return tmp_path / "run"


def test_a_new_station_is_for_the_networks_that_it_is_in(bare: Path) -> None:
    for _ in ("the first start", "the next one"):
        assert reach.open_new(bare) == ""
        assert os.environ.pop(reach.HOST) == reach.everywhere()
        assert os.environ.pop(reach.ANONYMOUS) == reach.LINK
        assert os.environ.pop(reach.DIAGNOSTICS) == reach.LINK
        (bare / "supervisord.conf").touch()


def test_a_station_of_an_earlier_version_stays_as_it_was(bare: Path) -> None:
    bare.mkdir()
    (bare / "supervisord.conf").touch()
    for _ in ("the first start", "the next one"):
        assert "ran here before" in reach.open_new(bare)
    assert not plan.chosen(reach.HOST) and not plan.chosen(reach.ANONYMOUS)


@pytest.mark.parametrize(
    "settings",
    [
        'proxies = ["192.0.2.1/32"]',
        'tunnels = ["192.0.2.1/32"]',
        'user_header = "X-Remote-User"',
        'team_domain = "hens.cloudflareaccess.com"\naudience = "x"',
        'hosts = ["camera.example.org"]',
    ],
)
def test_nothing_is_opened_beside_a_proxy_or_a_tunnel(bare: Path, settings: str) -> None:
    (bare.parent / "beeper.toml").write_text(f"[access]\n{settings}\n", encoding="utf-8")
    assert settings.split(" ")[0] in reach.open_new(bare)
    assert not plan.chosen(reach.HOST)


def test_what_somebody_has_chosen_wins(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (bare.parent / "beeper.toml").write_text("[access]\nanonymous = []\n", encoding="utf-8")
    assert reach.open_new(bare) == ""
    assert os.environ[reach.HOST] == reach.everywhere()
    assert reach.ANONYMOUS not in os.environ
    monkeypatch.setenv(reach.HOST, "192.0.2.5")
    assert reach.open_new(bare) == "" and os.environ[reach.HOST] == "192.0.2.5"


def test_a_new_installation_has_it_in_its_file() -> None:
    example = Path("beeper.example.toml").read_text(encoding="utf-8")
    settings = tomllib.loads(reach.opened(example))
    assert settings["web"] == {"host": reach.everywhere()}
    assert settings["access"] == {"anonymous": ["link"], "diagnostics": ["link"]}
    assert {name for name, value in settings.items() if value} >= {"web", "access"}


def test_the_terminal_says_the_addresses_who_may_watch_and_how_to_close_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(reach, "AVAHI", tmp_path)
    text = "\n".join(reach.described(OPEN, CLOSING))
    assert "http://localhost:8080" in text and ".local:8080" in text
    assert "host=127.0.0.1" in text
    for network in on_link()[3:]:
        assert str(network) in text, "everybody in …"
    for address in reach.addresses("::"):
        assert f"http://{address}:8080" in text


def test_a_closed_station_says_how_to_open_it() -> None:
    closed = {"web": {"host": "127.0.0.1", "port": 8080}, "access": {"anonymous": ["link"]}}
    text = "\n".join(reach.described(closed, CLOSING))
    assert "on this machine only" in text and f"host={reach.everywhere()}" in text


@pytest.mark.parametrize(
    ("anonymous", "words"),
    [
        ([], "nobody"),
        (["127.0.0.0/8", "::1/128"], "nobody but this machine"),
        (["127.0.0.0/8", "10.0.0.0/8", "fd00::/8"], "everybody in 10.0.0.0/8 and fd00::/8"),
    ],
)
def test_who_may_watch_in_words(anonymous: list[str], words: str) -> None:
    assert reach.audience(anonymous) == words


def test_only_the_networks_of_this_machine_may_watch(start: Start) -> None:
    web = Web(start, BEEPER_ACCESS__ANONYMOUS=reach.LINK, BEEPER_ACCESS__DIAGNOSTICS=reach.LINK)
    assert web.get("/api/me").status == 200 and web.get("/metrics").status == 200
    near = [network for network in on_link()[3:] if network.num_addresses > 4]
    for network in near:
        asker = str(network.network_address + 3)
        assert web.get("/api/me", X_Forwarded_For=asker).status == 200, asker
    for far in ("10.99.99.99", "172.20.1.1", "192.168.213.7", "fd99::1", "8.8.8.8"):
        if not any(ip_address(far) in network for network in near):
            assert web.get("/api/me", X_Forwarded_For=far).status == 403, far
            assert web.get("/metrics", X_Forwarded_For=far).status == 403, far


def test_link_stands_beside_named_networks(start: Start) -> None:
    web = Web(start, BEEPER_ACCESS__ANONYMOUS='["link", "198.51.100.0/24"]')
    assert web.get("/api/me", X_Forwarded_For="198.51.100.7").status == 200
    assert web.get("/api/me").status == 200
