"""The configuration of LiveKit, its ingress, redis and coturn: filled in, parsed, of one mind."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import own_environment
from web.settings import Settings

FOLDER = Path("livekit")
SECRET = "c2VjcmV0LW9mLXRoaXMtdGVzdC1vbmx5LW5vd2hlcmU="  # noqa: S105 (of this test only)
SETTINGS = {
    "BEEPER_LIVEKIT__KEY": "APItest",
    "BEEPER_LIVEKIT__SECRET": SECRET,
    "BEEPER_TURN__SECRET": SECRET[::-1],
    "BEEPER_TURN__REALM": "turn.example.org",
    "BEEPER_TURN__EXTERNAL_ADDRESS": "203.0.113.7",
    "BEEPER_TURN__PEERS": '["192.168.1.7", "192.168.1.8"]',
}
FILES = ("ingress.yaml", "livekit.yaml", "redis.conf", "turnserver.conf")


def configure(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """livekit/configure, as somebody types it."""
    return subprocess.run(
        [sys.executable, "livekit/configure", str(folder)],
        env=own_environment() | settings,
        capture_output=True,
        text=True,
        check=False,
    )


def pairs(file: Path, separator: str | None) -> dict[str, list[str]]:
    """The lines of a configuration of redis or coturn."""
    found: dict[str, list[str]] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, *value = line.split(separator, 1)
            found.setdefault(name, []).extend(value)
    return found


@pytest.fixture
def written(tmp_path: Path) -> Path:
    ran = configure(tmp_path / "etc", **SETTINGS)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert SECRET not in ran.stdout
    return tmp_path / "etc"


def load(file: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return parsed


def test_everything_is_filled_in_for_its_owner_only(written: Path) -> None:
    assert tuple(sorted(file.name for file in written.iterdir())) == FILES
    for file in written.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600
        values = [line for line in file.read_text().splitlines() if not line.startswith("#")]
        assert "$" not in "".join(values)


def test_livekit_and_its_ingress_share_redis_key_and_ports(written: Path) -> None:
    server, ingress = load(written / "livekit.yaml"), load(written / "ingress.yaml")
    redis = pairs(written / "redis.conf", None)
    address = f"{redis['bind'][0]}:{redis['port'][0]}"
    assert server["redis"]["address"] == ingress["redis"]["address"] == address
    assert server["keys"] == {ingress["api_key"]: ingress["api_secret"]} == {"APItest": SECRET}
    assert ingress["ws_url"] == f"ws://127.0.0.1:{server['port']}"
    settings = Settings().livekit
    assert settings.api_url == f"http://127.0.0.1:{server['port']}"
    assert f":{ingress['rtmp_port']}/" in server["ingress"]["rtmp_base_url"]
    assert f":{ingress['whip_port']}/" in server["ingress"]["whip_base_url"]
    assert "node_ip" not in server["rtc"]


def test_no_two_of_them_want_the_same_port(written: Path) -> None:
    server, ingress = load(written / "livekit.yaml"), load(written / "ingress.yaml")
    turn = pairs(written / "turnserver.conf", "=")
    tcp = [server["port"], server["rtc"]["tcp_port"], Settings().web.port, Settings().mqtt.port]
    tcp += [ingress[f"{name}_port"] for name in ("rtmp", "whip", "http_relay")]
    tcp += [int(pairs(written / "redis.conf", None)["port"][0]), int(turn["listening-port"][0])]
    tcp += [8554, 8888, 8889, 9997]
    assert len(set(tcp)) == len(tcp)
    media = range(server["rtc"]["port_range_start"], server["rtc"]["port_range_end"] + 1)
    relayed = range(int(turn["min-port"][0]), int(turn["max-port"][0]) + 1)
    assert not set(media) & set(relayed)
    assert not {ingress["rtc_config"]["udp_port"], 8189} & {*media, *relayed}


def test_coturn_takes_the_credentials_that_web_makes_and_guards_the_network(written: Path) -> None:
    turn = pairs(written / "turnserver.conf", "=")
    assert "use-auth-secret" in turn and "lt-cred-mech" not in turn
    assert turn["static-auth-secret"] == [SECRET[::-1]]
    assert turn["realm"] == ["turn.example.org"]
    assert turn["external-ip"] == ["203.0.113.7"]
    assert turn["allowed-peer-ip"] == ["192.168.1.7", "192.168.1.8"]
    denied = "".join(turn["denied-peer-ip"])
    assert all(net in denied for net in ("10.0.0.0", "127.0.0.0", "192.168.0.0", "fc00::", "::1"))


def test_there_is_no_secret_before_somebody_makes_one(tmp_path: Path) -> None:
    ran = configure(tmp_path / "etc")
    assert ran.returncode == 1
    assert "livekit.key" in ran.stderr and "turn.secret" in ran.stderr
    assert list((tmp_path / "etc").iterdir()) == []
    for name in FILES:
        for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
            if "secret" in line and not line.startswith("#"):
                assert "${" in line or line == "use-auth-secret"


@pytest.mark.parametrize("secret", ["too short", 'with "quotes" and a few more letters', "x" * 9])
def test_a_secret_that_a_file_could_misread_is_refused(tmp_path: Path, secret: str) -> None:
    ran = configure(tmp_path / "etc", **SETTINGS | {"BEEPER_LIVEKIT__SECRET": secret})
    assert "livekit.secret" in ran.stderr
    assert [file.name for file in (tmp_path / "etc").iterdir()] == ["turnserver.conf"]
    assert secret not in ran.stderr
