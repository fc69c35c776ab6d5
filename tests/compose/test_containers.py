"""`docker compose up` of our services and Mosquitto, from a clean clone."""

import hashlib
import json
import urllib.request
from functools import partial
from pathlib import Path
from socket import SOCK_DGRAM

import psutil
import pytest
from chromium import CHROMIUM, FLAGS
from compose_stack import PATIENCE, SETTINGS, Stack
from conftest import wait_until
from onlooker import Onlooker, whole
from playwright.sync_api import sync_playwright

pytestmark = pytest.mark.timeout(600)

READINGS = ("Temperature", "Humidity", "Processor load", "Exposure", "Level")
MESSAGE = "kept in the backup"
ENVIRONMENT = "HOSTS=192.0.2.7\n"
ONE_SHOT = {"setup"}
WRITE = """
from pathlib import Path
from camera.metadata_file import MetadataFile, place
file = MetadataFile(place(Path("/run/beeper-keeper"), "attic"))
for number in range(30000):
    file.write({"SensorTimestamp": number, "Lux": 1.5, "x" * 200: 1})
"""
"""6 MB of metadata, as a camera writes them."""
RANGE = range(50200, 50456)
"""WEBRTC_PORT_MIN to _MAX"""
ON_HOST = {"sensors": (), "webrtc": RANGE}
"""Who stands in the host's network, and the UDP ports that it may open there for who watches."""
EVERYWHERE = "0.0.0.0"  # noqa: S104 (what Docker says of a published port)


def test_the_page_is_live_with_every_reading_and_each_service_comes_back(stack: Stack) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        onlooker = Onlooker(browser.new_page(), f"http://127.0.0.1:{stack.port}/")
        onlooker.wait(whole, "the page is whole")
        look = onlooker.look()
        for name in READINGS:
            assert any(line.startswith(name) for line in look.readings), (name, look.readings)
        for service in stack.services():
            before = stack.inspect(service)
            # All but the container's init die; that is how a crash looks from outside.
            stack.run("docker", "exec", before["Id"], "sh", "-c", "kill -9 -1")
            back = partial(comes_back, stack, service, before["State"]["StartedAt"])
            wait_until(back, f"{service} is back", PATIENCE)
        onlooker.wait(whole, "the page is whole again")
        browser.close()


@pytest.mark.parametrize("more", ["compose.small.yaml", "compose.camera.yaml"])
def test_compose_takes_every_file_and_every_profile(stack: Stack, more: str) -> None:
    stack.compose("-f", "compose.yaml", "-f", more, "--profile", "*", "config", "-q")


def test_make_watch_hears_the_bus(stack: Stack) -> None:
    lines = stack.run("sh", "-c", "timeout 20 make -s watch | head -n 5").splitlines()
    assert len(lines) == 5
    assert all(line.startswith("beeper/") for line in lines), lines


def test_a_name_with_a_hyphen_can_be_configured(stack: Stack) -> None:
    asked = ["-e", "BEEPER_CAMERA__FRONT-DOOR__FPS=7", "camera-csi"]
    command = ["docker", "compose", "run", "--rm", "--no-deps", *asked]
    settings = json.loads(stack.run(*command, "camera", "front-door", "--show-settings"))
    assert settings["camera"]["front-door"]["fps"] == 7


def comes_back(stack: Stack, service: str, before: str) -> bool:
    return bool(stack.inspect(service)["State"]["StartedAt"] != before and stack.works(service))


def test_no_container_has_more_rights_than_it_needs(stack: Stack) -> None:
    for service in [*stack.services(), *ONE_SHOT]:
        about = stack.inspect(service)
        host = about["HostConfig"]
        assert host["ReadonlyRootfs"], service
        assert host["CapDrop"] == ["ALL"], service
        assert "no-new-privileges:true" in host["SecurityOpt"], service
        assert not host["Privileged"] and not host["Devices"], service
        assert host["Memory"] and host["PidsLimit"], service
        assert host["LogConfig"]["Config"]["max-size"], service
        user = about["Config"]["User"]
        if service == "setup":
            assert (user, host["CapAdd"]) == ("0:0", ["CHOWN"])
            assert (about["State"]["Status"], about["State"]["ExitCode"]) == ("exited", 0)
        else:
            assert int(user.split(":")[0]) > 0 and not host["CapAdd"], service
            assert host["RestartPolicy"]["Name"] == "unless-stopped", service
            assert psutil.Process(about["State"]["Pid"]).uids().effective > 0, service


def test_nothing_is_published_but_what_is_named(stack: Stack) -> None:
    published = {
        (bound["HostIp"], int(bound["HostPort"]))
        for service in stack.services()
        for bounds in (stack.inspect(service)["NetworkSettings"]["Ports"] or {}).values()
        for bound in bounds or []
    }
    assert published == {(EVERYWHERE, stack.port), ("127.0.0.1", stack.mqtt_port)}
    assert {name for name in stack.services() if on_host(stack, name)} == ON_HOST.keys()
    for name, ports in ON_HOST.items():
        process = psutil.Process(stack.inspect(name)["State"]["Pid"])
        for member in (process, *process.children(recursive=True)):
            for found in member.net_connections("inet"):
                assert found.raddr or (found.type == SOCK_DGRAM and found.laddr.port in ports)


def test_sensors_reads_the_machine_and_not_its_container(stack: Stack) -> None:
    system = stack.compose("exec", "-T", "sensors", "cat", "/etc/os-release")
    assert system == Path("/etc/os-release").read_text(encoding="utf-8")
    interfaces = stack.compose("exec", "-T", "sensors", "cat", "/proc/net/dev")
    assert "docker0:" in interfaces


def on_host(stack: Stack, service: str) -> bool:
    return bool(stack.inspect(service)["HostConfig"]["NetworkMode"] == "host")


def test_each_reader_has_only_its_own_secrets(stack: Stack) -> None:
    seen = stack.compose("exec", "-T", "web", "sh", "-c", "cat /secrets/*/* 2>/dev/null | wc -c")
    own = stack.compose("exec", "-T", "web", "sh", "-c", "cat /secrets/web/* | wc -c")
    assert int(seen) == int(own) > 0
    modes = stack.compose("exec", "-T", "web", "sh", "-c", "stat -c %a /secrets/web/*")
    assert set(modes.split()) == {"600"}


def test_what_was_read_of_a_cameras_metadata_is_given_back(stack: Stack) -> None:
    place = "/run/beeper-keeper/attic.metadata.json"
    stack.compose("exec", "-T", "camera-csi", "sh", "-c", f"umask 0007; python3 -c '{WRITE}'")

    def taken() -> int:
        size, blocks = stack.compose("exec", "-T", "metadata", "stat", "-c", "%s %b", place).split()
        assert int(size) > 5_000_000
        return int(blocks) * 512

    wait_until(lambda: taken() < 2_000_000, "the front of the file is given back", PATIENCE)
    stack.compose("exec", "-T", "camera-csi", "rm", place)


def test_settings_users_secrets_history_and_chat_come_back(stack: Stack, tmp_path: Path) -> None:
    environment = stack.folder / ".env"
    environment.write_text(ENVIRONMENT, encoding="utf-8")
    before = stack.compose("run", "--rm", "-T", "setup", "show")
    stack.run(
        *("docker", "compose", "exec", "-T", "web", "python3", "-m", "web.users"),
        *("add", "bob"),
        stdin=b"a password of bob\n",
    )
    say(stack, MESSAGE)
    wait_until(lambda: readings(stack) > 2, "history has readings", PATIENCE)
    kept = readings(stack)
    file = tmp_path / "station.tar.gz"
    stack.run("docker/backup", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    wait_until(stack.ready, "the station goes on after a backup", PATIENCE)
    stack.compose("down", "-v")
    settings = stack.folder / "config" / "beeper.toml"
    environment.unlink()
    settings.unlink()
    stack.run("docker/restore", str(file))
    wait_until(stack.ready, "the station is back", PATIENCE)
    assert environment.read_text(encoding="utf-8") == ENVIRONMENT
    assert settings.read_text(encoding="utf-8") == SETTINGS
    owner = stack.folder.stat().st_uid
    assert {owner} == {path.stat().st_uid for path in (environment, settings, settings.parent)}
    assert stack.run("git", "status", "--porcelain") == ""
    assert stack.compose("run", "--rm", "-T", "setup", "show") == before
    assert "bob" in stack.compose("exec", "-T", "web", "cat", "/state/web/users")
    wait_until(lambda: MESSAGE in said(stack), "the conversation is back", PATIENCE)
    wait_until(lambda: readings(stack) >= kept, "history is back", PATIENCE)


def say(stack: Stack, text: str) -> None:
    body = json.dumps({"message": text, "id": hashlib.sha256(text.encode()).hexdigest()[:16]})
    request = urllib.request.Request(
        f"http://127.0.0.1:{stack.port}/api/chat/send",
        body.encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 (our own URL)
        assert answer.status == 200


def said(stack: Stack) -> str:
    return json.dumps(stack.get("/api/chat/messages") or "")


def readings(stack: Stack) -> int:
    found = stack.get("/api/history?metric=audio/level:level_db&range=hour&points=4000")
    return len(found["series"][0]["mean"]) if found else 0
