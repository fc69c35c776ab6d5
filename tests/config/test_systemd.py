"""systemd/: what `make install` lays down, judged by systemd's own tools, and taken away again."""

import contextlib
import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bus.hub import Hub
from conftest import own_environment
from station import bridge, limits, plan
from station.installation import BROKER_MEMORY, SOCKET, Place, unit_of, write_drop_ins

UNITS = Path("systemd")
SHIPPED = sorted(path.name for path in UNITS.glob("beeper-*.service"))
PROGRAMS = (
    "/opt/beeper-keeper/.venv/bin/python",
    "/usr/sbin/mosquitto",
    "/usr/local/bin/mediamtx",
    "/usr/bin/redis-server",
    "/usr/local/bin/livekit-server",
    "/usr/local/bin/ingress",
    "/usr/bin/turnserver",
    "/bin/sh",
    "/bin/kill",
)
EXPOSED = 2.0
"""systemd-analyze's measure, 0 to 10; what a distribution ships has 9 as a rule."""
CHANGED = """
[stepper]
enabled = true
[camera.csi]
enabled = false
[camera.coop]
width = 640
[relay.tv]
camera = "coop"
url = "rtsp://192.0.2.1/tv"
[hub]
host = "hub.example.org"
station = "barn"
password = "of the hub"
"""
DROP_INS = "etc/systemd/system"
WANTS = "etc/systemd/system/beeper.target.wants"
SYSTEMCTL = """#!/bin/sh
case "$*" in
    *is-active*) [ "$3" != beeper-livekit-redis ] ;;
    *) echo "$*" >> "${0%/*}/said" ;;
esac
"""
"""A station without LiveKit."""


def run(command: str, root: Path, *words: str, **variables: str) -> None:
    """systemd/install and its like, below a folder."""
    ran = subprocess.run(
        [f"systemd/{command}", *words],
        env=own_environment() | {"DESTDIR": str(root), "PYTHON": sys.executable} | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


def files(root: Path) -> dict[str, bytes | str]:
    """Everything below a folder: what is in files, where links lead."""
    found: dict[str, bytes | str] = {}
    for path in root.rglob("*"):
        if path.is_symlink():
            found[str(path.relative_to(root))] = str(path.readlink())
        elif path.is_file():
            found[str(path.relative_to(root))] = path.read_bytes()
    return found


def enabled(root: Path) -> set[str]:
    return {link.name for link in (root / WANTS).iterdir()}


def begin(file: Path) -> None:
    """A conversation of an earlier start of the station."""
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT)")
        database.execute("INSERT INTO about VALUES ('conversation', '5'), ('start', 'then')")


def about(file: Path) -> dict[str, str]:
    with contextlib.closing(sqlite3.connect(file)) as database:
        return dict(database.execute("SELECT key, value FROM about"))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Installed beside systemd's own units and the programs that ours name."""
    root = tmp_path_factory.mktemp("root")
    run("install", root)
    for name in PROGRAMS:
        program = root / name.lstrip("/")
        program.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy("/bin/true", program)
    shutil.copytree("/lib/systemd/system", root / "usr/lib/systemd/system", symlinks=True)
    return root


def analyze(root: Path, *words: str) -> str:
    """What systemd-analyze says; an error of its own is in it."""
    ran = subprocess.run(
        ["systemd-analyze", f"--root={root}", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return ran.stdout


def instance(unit: str) -> str:
    return unit.replace("@.", "@csi.")


def test_there_is_a_unit_for_every_service_and_none_besides() -> None:
    wanted = {unit_of(f"{name}-" if name in plan.NAMED else name) for name in plan.SERVICES}
    others = {"start", "mosquitto", "mediamtx"}
    others |= {"livekit", "livekit-redis", "livekit-ingress", "livekit-turn"}
    assert set(SHIPPED) == wanted | {f"beeper-{name}.service" for name in others}


def test_systemd_finds_nothing_wrong_with_the_units(root: Path) -> None:
    units = [*map(instance, SHIPPED), "beeper.target", "beeper-livekit.target"]
    assert analyze(root, "verify", "--man=no", *units) == ""


@pytest.mark.parametrize("unit", SHIPPED)
def test_a_service_can_do_little_beside_its_job(root: Path, unit: str) -> None:
    said = analyze(root, "security", "--offline=true", instance(unit))
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)
    assert found and float(found[1]) <= EXPOSED, said


def test_services_reach_the_broker_by_a_socket_of_their_group(root: Path) -> None:
    broker = (UNITS / "beeper-mosquitto.service").read_text(encoding="utf-8").splitlines()
    folder = f"RuntimeDirectory={Path(SOCKET).parent.name}"
    assert {"Group=beeper", folder, "RuntimeDirectoryMode=0750"} <= set(broker)
    assert "UMask=0007" in broker, "whoever is in the group may connect"
    drop_in = root / DROP_INS / "beeper-.service.d/station.conf"
    assert f"Environment=BEEPER_MQTT__SOCKET={SOCKET}\n" in drop_in.read_text(encoding="utf-8")
    written = (root / "etc/beeper-keeper/mosquitto/mosquitto.conf").read_text(encoding="utf-8")
    assert f"listener 0 {SOCKET}\n" in written


def test_units_have_room_for_what_the_settings_allow(tmp_path: Path) -> None:
    web: dict[str, Any] = {"max_viewers": 1000, "media": "mediamtx"}
    settings: dict[str, Any] = {"web": web, "webrtc": {"max_sessions": 32}}
    drop_ins = tmp_path / DROP_INS
    write_drop_ins(Place(tmp_path), settings, here=False)
    assert not list(tmp_path.rglob("*.conf")), "the units have it already"
    for name in limits.descriptors(settings):
        unit = (UNITS / f"beeper-{name}.service").read_text(encoding="utf-8")
        assert f"LimitNOFILE={limits.UNITS}\n" in unit
    web["max_viewers"] = 50_000
    hub = Hub(host="hub.example.org", station="barn", outage=86_400)
    write_drop_ins(Place(tmp_path), settings, here=True, hub=hub)
    assert "LimitNOFILE=201024\n" in (drop_ins / "beeper-web.service.d/station.conf").read_text()
    memory = (drop_ins / "beeper-mosquitto.service.d/station.conf").read_text()
    assert f"MemoryMax={bridge.memory(hub) + bridge.SPARE}\n" in memory
    web["max_viewers"] = 1000
    write_drop_ins(Place(tmp_path), settings, here=False)
    assert not list(tmp_path.rglob("*.conf")), "what no longer holds is taken away"


def test_the_broker_refuses_before_the_kernel_ends_it() -> None:
    unit = (UNITS / "beeper-mosquitto.service").read_text(encoding="utf-8")
    assert f"MemoryMax={BROKER_MEMORY >> 20}M\n" in unit
    assert f"LimitNOFILE={limits.BROKER}\n" in unit


@pytest.mark.parametrize("service", plan.SERVICES)
def test_a_unit_runs_its_service_as_a_user_of_its_own(service: str) -> None:
    at, name = ("@", "-%i") if service in plan.NAMED else ("", "")
    unit = (UNITS / f"beeper-{service}{at}.service").read_text(encoding="utf-8")
    lines = unit.splitlines()
    assert f"User=beeper-{service}" in lines and "Restart=always" in lines
    assert f"/secrets/{service}{name}/mqtt_password" in unit
    assert f"BEEPER_MQTT__USERNAME={service}{name} " in unit
    assert f"\nu beeper-{service} " in (UNITS / "sysusers.conf").read_text(encoding="utf-8")
    if service in ("chat", "history", "sensors", "stepper", "web"):
        assert f"Environment=BEEPER_STATE_DIR=%S/beeper-keeper/{service}" in lines


def test_only_root_reads_the_secrets_and_each_service_has_one(root: Path) -> None:
    secrets = root / "etc/beeper-keeper/secrets"
    for path in (secrets, *secrets.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    services = {link.removeprefix("beeper-").replace("@", "-") for link in enabled(root)}
    services = {name.removesuffix(".service") for name in services}
    users = {folder.name for folder in secrets.iterdir()}
    assert users - {"debug", "telegraf"} == services - {"start", "mosquitto", "mediamtx"}
    words = [file.read_text(encoding="utf-8") for file in secrets.rglob("mqtt_password")]
    assert len(set(words)) == len(users) and all(len(word) > 24 for word in words)


def test_an_installation_follows_the_settings_and_goes_when_it_is_told(tmp_path: Path) -> None:
    run("install", tmp_path)
    before = files(tmp_path)
    assert "beeper-camera@csi.service" in enabled(tmp_path)
    assert "beeper-stepper.service" not in enabled(tmp_path)

    settings = tmp_path / "etc/beeper-keeper/beeper.toml"
    settings.write_text(CHANGED, encoding="utf-8")
    run("install", tmp_path)
    after = files(tmp_path)
    kept = [name for name in before if name.startswith(("etc/beeper-keeper/secrets", "opt/"))]
    assert kept and all(after.get(name) == before[name] for name in kept)
    assert after["etc/beeper-keeper/beeper.toml"] == CHANGED.encode()
    units = enabled(tmp_path)
    assert {"beeper-camera@coop.service", "beeper-stepper.service"} <= units
    assert "beeper-relay@tv.service" in units and "beeper-camera@csi.service" not in units
    acl = (tmp_path / "etc/beeper-keeper/mosquitto/acl").read_text(encoding="utf-8")
    configuration = tmp_path / "etc/beeper-keeper/mosquitto/mosquitto.conf"
    assert "connection barn-bridge\n" in configuration.read_text(encoding="utf-8")
    assert stat.S_IMODE(configuration.stat().st_mode) == 0o600
    assert "user camera-coop\n" in acl and "user relay-tv\n" in acl

    data = tmp_path / "var/lib/beeper-keeper/chat/chat.sqlite"
    data.parent.mkdir(parents=True)
    begin(data)
    saved = tmp_path.with_suffix(".tar.gz")
    run("backup", tmp_path, str(saved))
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    whole = files(tmp_path)
    shutil.rmtree(data.parents[1])
    settings.write_text("", encoding="utf-8")
    with pytest.raises(AssertionError, match="no backup"):
        run("restore", tmp_path, "/dev/null")
    run("restore", tmp_path, str(saved))
    own = dict.fromkeys(
        ["etc/beeper-keeper/mosquitto/passwords", str(data.relative_to(tmp_path))], ""
    )
    assert files(tmp_path) | own == whole | own
    assert about(data) == {"conversation": "5"}, "of the station's start it knows nothing"

    run("uninstall", tmp_path)
    left = files(tmp_path)
    assert data.exists() and "etc/beeper-keeper/beeper.toml" in left
    assert [name for name in left if "systemd" in name or name.startswith("opt")] == []
    run("uninstall", tmp_path, PURGE="1")
    assert files(tmp_path) == {}


@pytest.mark.parametrize("tar", ["exit 2", "kill -TERM $PPID"])
def test_a_backup_that_fails_or_is_ended_leaves_the_station_running(
    tmp_path: Path, tar: str
) -> None:
    half = 'while [ "$1" != -czf ]; do shift; done; echo half > "$2"'
    standins = {
        "systemctl": SYSTEMCTL,
        "tar": f"#!/bin/sh\n{half}\n{tar}\n",
        "id": "#!/bin/sh\necho 0\n",
    }
    for name, text in standins.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    with pytest.raises(AssertionError):
        run("backup", Path("/"), str(tmp_path / "station.gz"), PATH=path)
    said = (tmp_path / "said").read_text(encoding="utf-8")
    writers = "beeper-mosquitto beeper-chat beeper-history"
    assert said == f"stop {writers}\nstart {writers}\n"
    assert {one.name for one in tmp_path.iterdir()} == standins.keys() | {"said"}
