"""URLs of cameras: what may be said of them, what they may open, and where ffmpeg finds them."""

from pathlib import Path

import pytest
from bus.settings import SettingsError, load
from camera.address import Address
from camera.settings import SCHEMES, Settings

REMOTE = [scheme for scheme in SCHEMES if scheme != "file"]
SOCKETS = ["tcp", "udp"]
SCRIPTED = [scheme for scheme in REMOTE if scheme not in SOCKETS]


def test_only_what_is_no_secret_is_shown() -> None:
    address = Address("rtsp://me:p%40ss@door:554/live?key=abc#x")
    assert address.shown == "rtsp://door:554/…"
    text = "rtsp://me:p%40ss@door:554/live?key=abc#x: 401, tried p@ss, key=abc"
    assert address.hide(text) == "rtsp://door:554/…: 401, tried …, …"
    assert address.hide("http://a:b@elsewhere/list") == "http://elsewhere/…"


@pytest.mark.parametrize("scheme", SCRIPTED)
def test_no_part_of_an_address_is_on_the_command_line(scheme: str) -> None:
    address = Address(f"{scheme}://me:Geheim@door:1/way?key=x")
    assert not any("door" in part or "Geheim" in part for part in address.options())
    script = address.script()
    assert script
    assert f"file '{scheme}://me:Geheim@door:1/way?key=x'" in script.decode().splitlines()


@pytest.mark.parametrize("scheme", SOCKETS)
def test_of_a_socket_only_its_own_options_are_on_the_command_line(scheme: str) -> None:
    url = f"{scheme}://me:Geheim@door:1/Geheim?listen=1&key=Geheim&timeout=500&ttl=Geheim#Geheim"
    address = Address(url)
    assert address.options()[-2:] == ["-i", f"{scheme}://door:1?listen=1&timeout=500"]
    assert address.script() is None


@pytest.mark.parametrize("scheme", SCRIPTED)
def test_what_comes_from_outside_opens_no_files(scheme: str) -> None:
    address = Address(f"{scheme}://door/x")
    options = address.options()
    assert options[options.index("-protocol_whitelist") + 1].startswith("pipe,")
    script = address.script()
    assert script
    lines = script.decode().splitlines()
    allowed = next(line.split()[2] for line in lines if line.startswith("option protocol_whi"))
    assert {scheme, "tls"} & set(allowed.split(","))
    assert not {"file", "pipe", "data", "concat", "subfile"} & set(allowed.split(","))


def test_an_address_cannot_add_lines_to_the_script() -> None:
    script = Address("http://door/it's%0Aoption").script()
    assert script
    assert script.decode().splitlines()[1] == r"file 'http://door/it'\''s%0Aoption'"


def test_a_recording_is_played_at_its_speed_for_ever() -> None:
    address = Address("file:///tmp/a%20b.mp4")
    assert address.options()[-4:] == ["-stream_loop", "-1", "-i", "file:/tmp/a b.mp4"]
    assert "-re" in address.options()
    assert address.script() is None
    assert address.shown == "file:///tmp/a b.mp4"


@pytest.mark.parametrize("scheme", ["rtsp", "rtsps"])
def test_rtsp_goes_over_tcp(scheme: str) -> None:
    script = Address(f"{scheme}://door/live").script()
    assert script
    assert "option rtsp_transport tcp" in script.decode().splitlines()


@pytest.mark.parametrize("scheme", REMOTE)
@pytest.mark.parametrize(("sign", "code"), [("#", "%23"), ("/", "%2F"), ("@", "%40"), ("[", "%5B")])
def test_a_password_to_encode_is_one_line_of_the_settings(
    scheme: str, sign: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEEPER_CONFIG", "/dev/null")
    monkeypatch.setenv("BEEPER_CAMERA__DOOR__DRIVER", "url")
    monkeypatch.setenv("BEEPER_CAMERA__DOOR__URL", f"{scheme}://admin:Geheim{sign}2@host/live")
    with pytest.raises(SettingsError) as error:
        load(Settings)
    assert str(error.value) == (
        f"camera.door: url: the password contains '{sign}': write it as {code} "
        "(beeper.toml, or BEEPER_CAMERA__DOOR)"
    )


@pytest.mark.parametrize(
    "toml",
    [
        'camera.door.url = ["rtsp://me:Geheim@door"]',
        'camera.door = "rtsp://me:Geheim@door"',
        'camera = "rtsp://me:Geheim@door"',
        'camera.door.device = ["rtsp://me:Geheim@door"]',
        'camera.door.audio = "rtsp://me:Geheim@door"',
        'camera.door.urls = "rtsp://me:Geheim@door"',
        'camera.door.driver = "rtsp://me:Geh/eim@door/Geheim"',
    ],
)
def test_a_url_at_a_wrong_place_is_not_shown(
    toml: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "beeper.toml"
    file.write_text(toml)
    monkeypatch.setenv("BEEPER_CONFIG", str(file))
    with pytest.raises(SettingsError) as error:
        load(Settings)
    assert "Geheim" not in str(error.value)
