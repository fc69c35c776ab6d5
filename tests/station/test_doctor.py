"""`make doctor`: what it says of a machine, and of the station that runs there."""

import os
import resource
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from conftest import Broker, free_port, own_environment, starter
from station import broker
from station.doctor import devices, machine, network, programs
from station.doctor import station as running

PROC_DEVICES = """\
Character devices:
 81 video4linux
116 alsa
235 media
252 dma_heap
254 gpiochip

Block devices:
236 media
"""
COMPOSE = """\
    - "c ${MAJOR_MEDIA:-236}:* rmw"
    - "c ${MAJOR_DMA_HEAP:-252}:* rmw"
    - "c ${MAJOR_GPIO:-254}:* rmw"
  group_add: ["${GROUP_RENDER:-992}", "${GROUP_I2C:-988}", "${GROUP_GPIO:-986}"]
"""


class Said(NamedTuple):
    code: int
    lines: list[str]
    stderr: str

    def about(self, word: str) -> list[str]:
        return [line for line in self.lines if word in line]


def doctor(folder: Path, **variables: str) -> Said:
    ran = subprocess.run(
        [sys.executable, "-m", "station.doctor", "--folder", str(folder)],
        env=own_environment() | {"BEEPER_STATE_DIR": str(folder)} | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    return Said(ran.returncode, ran.stdout.splitlines(), ran.stderr)


def program(folder: Path, name: str, script: str) -> None:
    """A program of this name that is found first."""
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(0o755)


@pytest.fixture
def first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose programs are found first."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path


def test_every_line_is_a_grade_and_each_trouble_has_a_cure(tmp_path: Path) -> None:
    ports = {
        "BEEPER_WEB__PORT": str(free_port()),
        "BEEPER_MQTT__PORT": str(free_port()),
    }
    said = doctor(tmp_path, **ports)
    assert said.stderr == ""
    for line in said.lines:
        grade, what = line[:4].strip(), line[5:]
        assert grade in ("ok", "warn", "fail") and (grade == "ok" or ": " in what), line
    assert said.code == any(line.startswith("fail") for line in said.lines)
    assert said.about("ok   ffmpeg encodes") and said.about("ok   mosquitto 2.")
    assert said.about(f"nothing on port {ports['BEEPER_WEB__PORT']}")


def test_a_wrong_setting_is_a_failure(tmp_path: Path) -> None:
    said = doctor(tmp_path, BEEPER_WEB__PORT="99999")
    assert said.code == 1
    assert said.about("fail settings: web: web.port")


def test_the_broker_is_asked_and_a_service_that_is_lost_is_named(tmp_path: Path) -> None:
    server = Broker(tmp_path)
    server.start()
    word = broker.password(tmp_path, "debug")
    with starter(server, tmp_path) as start:
        service = start("metadata")
        settings = {"mqtt": {"host": "127.0.0.1", "port": server.port}, "station": ""}
        found = [""]
        for _ in range(20):
            found = [verdict.line() for verdict in running.heard(settings, tmp_path)]
            if "knows 1 services" in found[0]:
                break
        assert len(found) == 1 and found[0].startswith("ok"), found
        service.kill()
        lines = [verdict.line() for verdict in running.heard(settings, tmp_path)]
        assert len(lines) == 2 and lines[1].startswith("warn metadata is lost"), lines
    server.stop()
    [silent] = [verdict.line() for verdict in running.heard(settings, tmp_path)]
    assert silent.startswith("fail") and word not in silent


@pytest.mark.parametrize(
    ("name", "said", "grade"),
    [
        ("mosquitto", "mosquitto version 2.0.10", "fail"),
        ("mosquitto", "mosquitto version 2.0.11", "ok"),
        ("mosquitto", "mosquitto version 2.1.2", "ok"),
        ("ffmpeg", "ffmpeg version 5.0.3-0+deb12u1", "fail"),
        ("ffmpeg", "ffmpeg version n7.1", "ok"),
        ("ffmpeg", "ffmpeg version 5.1.8-0+deb12u1", "ok"),
    ],
)
def test_how_old_a_program_may_be(first: Path, name: str, said: str, grade: str) -> None:
    program(first, name, f"echo {said}")
    assert programs.program(name).grade == grade


def settings(host: str, *anonymous: str, viewers: int = 1000) -> dict[str, Any]:
    """As `--show-settings` has them."""
    web = {"host": host, "port": free_port(), "max_viewers": viewers, "media": "embedded"}
    return {"web": web, "access": {"anonymous": anonymous}, "webrtc": {"max_sessions": 32}}


def test_who_may_watch_is_said(tmp_path: Path) -> None:
    assert "this machine only" in network.audience(settings("127.0.0.1", "0.0.0.0/0")).what
    home = network.audience(settings("::", "10.1.0.0/16", "127.0.0.0/8"))
    assert home.grade == "ok" and "everybody in 10.1.0.0/16" in home.what
    assert network.audience(settings("::", "link")).grade == "ok"
    assert network.audience(settings("::", "0.0.0.0/0")).grade == "warn"


def test_more_viewers_than_descriptors_are_said() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY:
        pytest.skip("there is no limit here")
    grades = {
        verdict.what.split()[0]: verdict.grade
        for verdict in network.descriptors(settings("::", viewers=hard))
    }
    assert grades["web"] == "warn"


def test_a_page_that_others_can_reach_is_tried_at_each_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert list(network.reachable("127.0.0.1", port)) == []
    with socket.create_server(("127.0.0.3", 0)) as server:
        [verdict] = network.reachable("127.0.0.3", server.getsockname()[1])
        assert verdict.grade == "ok" and "http://127.0.0.3:" in verdict.what


def test_a_port_that_somebody_else_holds_is_a_failure(broker: Broker) -> None:
    assert running.page("127.0.0.1", broker.port).grade == "fail"
    assert running.page("127.0.0.1", free_port()).grade == "warn"


@pytest.mark.parametrize(
    ("mask", "grades"),
    [("0x0", ["ok"]), ("0x80008", ["fail"]), ("0x50000", ["warn", "warn"]), ("hm", ["warn"])],
)
def test_what_the_firmware_complains_of(first: Path, mask: str, grades: list[str]) -> None:
    program(first, "vcgencmd", f"echo throttled={mask}")
    found = list(machine.throttling())
    assert [verdict.grade for verdict in found] == grades
    assert all(verdict.cure for verdict in found if verdict.grade != "ok")


def test_what_is_old_or_cannot_encode(first: Path) -> None:
    program(first, "ffmpeg", "echo ffmpeg version 4.4.1-raspbian")
    assert programs.program("ffmpeg").grade == "fail"
    assert "libx264" in programs.encoders().what and programs.encoders().grade == "fail"


def test_compose_is_told_this_machines_numbers(tmp_path: Path) -> None:
    proc, groups, file = (tmp_path / name for name in ("devices", "group", "compose.yaml"))
    proc.write_text(PROC_DEVICES, encoding="utf-8")
    groups.write_text("root:x:0:\nrender:x:993:\ni2c:x:988:bob\n", encoding="utf-8")
    assert devices.compose(file, proc, groups).grade == "ok", "there is no Compose"
    file.write_text(COMPOSE, encoding="utf-8")
    found = devices.compose(file, proc, groups)
    assert found.grade == "warn"
    assert found.cure == "into .env: GROUP_RENDER=993 MAJOR_MEDIA=235"
    file.write_text(COMPOSE.replace("236", "235").replace("992", "993"), encoding="utf-8")
    assert devices.compose(file, proc, groups).grade == "ok"


def test_devices_that_are_closed_are_named(tmp_path: Path) -> None:
    (tmp_path / "video0").symlink_to("/dev/null")
    [found] = devices.permissions(tmp_path)
    here = os.geteuid() == 0
    assert found.grade == ("fail" if here else "ok") and "video0" in found.what


def test_a_full_disk_and_a_kernel_that_does_not_limit_memory(tmp_path: Path) -> None:
    assert machine.disk(tmp_path / "not" / "yet").what.endswith(str(tmp_path))
    controllers = tmp_path / "cgroup.controllers"
    controllers.write_text("cpuset cpu io pids\n", encoding="utf-8")
    assert "cgroup_enable=memory" in machine.memory(controllers).cure
    controllers.write_text("cpu io memory pids\n", encoding="utf-8")
    assert machine.memory(controllers).grade == "ok"
