"""What `make run` looks at before it starts anything."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import DEADLINE, free_port, own_environment
from station import hardware, plan

STATION = ("station",)
HUB = ("station.hub", "barn")


def station(
    folder: Path, command: tuple[str, ...] = STATION, **variables: str
) -> subprocess.CompletedProcess[str]:
    ports = {
        "BEEPER_WEB__HOST": "127.0.0.1",
        "BEEPER_WEB__PORT": str(free_port()),
        "BEEPER_MQTT__PORT": str(free_port()),
    }
    return subprocess.run(
        [sys.executable, "-m", *command, "--folder", str(folder)],
        env=own_environment() | ports | variables,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


@pytest.mark.parametrize("command", [STATION, HUB])
@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("BEEPER_WEB__PORT", "BEEPER_WEB__PORT=8081"),
        ("BEEPER_MQTT__PORT", "BEEPER_MQTT__PORT=1884"),
    ],
)
def test_a_taken_port_is_one_line_with_the_way_out(
    tmp_path: Path, command: tuple[str, ...], variable: str, said: str
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        ended = station(tmp_path, command, **{variable: str(other.getsockname()[1])})
    assert ended.returncode == 1
    assert said in ended.stderr.splitlines()[-1]


def test_a_wrong_setting_stops_it_before_anything_runs(tmp_path: Path) -> None:
    ended = station(tmp_path, BEEPER_CAMERA__CSI__FPS="fast")
    assert ended.returncode == 1
    assert "camera.csi.fps" in ended.stderr
    assert not (tmp_path / "supervisord.conf").exists()


@pytest.mark.parametrize("command", [STATION, HUB])
def test_a_mistake_in_the_file_is_one_line(tmp_path: Path, command: tuple[str, ...]) -> None:
    config = tmp_path / "beeper.toml"
    config.write_text("[access]\n[access]\n")
    ended = station(tmp_path, command, BEEPER_CONFIG=str(config))
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert "not valid TOML" in line and str(config) in line


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::", "0.0.0.0", "localhost"])  # noqa: S104
def test_a_port_is_taken_by_whoever_listens_there(host: str) -> None:
    port = free_port()
    assert not plan.taken(host, port)
    with socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True):
        assert plan.taken(host, port)


def test_a_hub_without_its_password_is_one_line(tmp_path: Path) -> None:
    hub = {"BEEPER_HUB__HOST": "hub.example.org", "BEEPER_HUB__STATION": "barn"}
    ended = station(tmp_path, STATION, **hub)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("station: hub.password_file: ")


@pytest.mark.parametrize("program", ["mosquitto", "ffmpeg"])
def test_a_missing_program_is_named_with_its_package(
    tmp_path: Path, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for other in {"mosquitto", "ffmpeg"} - {program}:
        (tmp_path / other).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [line.split(" is not")[0] for line in plan.missing_programs()] == [program]
    assert f"apt-get install {program}" in plan.missing_programs()[0]


def test_what_the_user_has_chosen_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "beeper.toml"
    config.write_text('[camera.csi]\ndriver = "rpicam"\n')
    monkeypatch.setenv("BEEPER_CONFIG", str(config))
    monkeypatch.setenv("BEEPER_CAMERA__USB__DRIVER", "v4l2")
    assert plan.chosen("BEEPER_CAMERA__CSI__DRIVER")
    assert plan.chosen("BEEPER_CAMERA__USB__DRIVER")
    assert not plan.chosen("BEEPER_SENSORS__BME680__DRIVER")


def test_a_usb_camera_is_found_by_where_it_hangs(tmp_path: Path) -> None:
    assert hardware.usb_camera(tmp_path) == "no video device on USB"
    device = tmp_path / "devices/pci0/usb1/1-1"
    device.mkdir(parents=True)
    node = tmp_path / "class/video4linux/video0"
    node.mkdir(parents=True)
    (node / "device").symlink_to(device)
    assert hardware.usb_camera(tmp_path) is None


def test_rpicam_apps_say_whether_there_is_a_camera(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert hardware.csi_camera() == "rpicam-apps are not installed"
    program = tmp_path / "rpicam-hello"
    program.write_text("#!/bin/sh\necho 'No cameras available!'\n")
    program.chmod(0o755)
    assert hardware.csi_camera() == "no camera on CSI"
    program.write_text("#!/bin/sh\necho 'Available cameras'\necho '0 : ov5647'\n")
    assert hardware.csi_camera() is None


def test_without_an_i2c_bus_there_is_no_bme680(tmp_path: Path) -> None:
    assert hardware.bme680(tmp_path) == "no I²C bus"
    (tmp_path / "i2c-1").touch()
    assert "none answers" in str(hardware.bme680(tmp_path))


def test_only_a_raspberry_pi_has_pins_for_a_motor(tmp_path: Path) -> None:
    model = tmp_path / "model"
    assert hardware.pins(tmp_path, model) == "no Raspberry Pi, so no pins"
    (tmp_path / "gpiochip0").touch()
    assert hardware.pins(tmp_path, model) == "no Raspberry Pi, so no pins"
    model.write_text("Raspberry Pi 4 Model B Rev 1.1\0")
    assert hardware.pins(tmp_path, model) is None
    (tmp_path / "gpiochip0").unlink()
    assert hardware.pins(tmp_path, model) == "no /dev/gpiochip*"
