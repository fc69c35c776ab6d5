"""`python -m relay create-ingress`: once, found again, and its key for nobody else to read."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import DEADLINE, free_port
from livekit.protocol.ingress import CreateIngressRequest, IngressInput
from relay.ingress import Ingress, key_in
from twirp import KEY, SECRET, Livekit

Ran = subprocess.CompletedProcess[str]


@pytest.fixture
def livekit() -> Iterator[Livekit]:
    server = Livekit()
    yield server
    server.shutdown()
    server.server_close()


def run(url: str, out: Path, *more: str, **variables: str) -> Ran:
    """The command, as somebody types it."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("BEEPER_", "LIVEKIT_"))}
    settings = {
        "BEEPER_LIVEKIT__API_URL": url,
        "BEEPER_LIVEKIT__KEY": KEY,
        "BEEPER_LIVEKIT__SECRET": SECRET,
        "BEEPER_LIVEKIT__TIMEOUT": "2",
    }
    what = ["--room", "csi_camera", "--name", "pi-cam", "--out", str(out)]
    return subprocess.run(
        [sys.executable, "-m", "relay", "create-ingress", *what, *more],
        env=kept | settings | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE,
    )


def read(out: Path) -> Ingress:
    return Ingress.model_validate_json(out.read_bytes())


def test_it_is_made_once_and_found_again(livekit: Livekit, tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        livekit.add(
            CreateIngressRequest(input_type=IngressInput.WHIP_INPUT, name=name, room_name=name)
        )
    out = tmp_path / "ingress.json"
    first = run(livekit.url, out)
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.startswith("made ingress pi-cam")
    written = out.read_bytes()
    again = run(livekit.url, out)
    assert again.stdout.startswith("found ingress pi-cam")
    assert out.read_bytes() == written
    assert livekit.calls.count("CreateIngress") == 1
    info = livekit.items[-1]
    assert info.HasField("enable_transcoding") and not info.enable_transcoding
    assert (info.room_name, info.participant_identity) == ("csi_camera", "pi-cam")


def test_the_file_is_for_its_owner_alone_and_the_key_is_nowhere_else(
    livekit: Livekit, tmp_path: Path
) -> None:
    out = tmp_path / "ingress.json"
    out.write_text("something old", encoding="utf-8")
    out.chmod(0o644)
    ran = run(livekit.url, out)
    assert out.stat().st_mode & 0o777 == 0o600
    assert json.loads(out.read_text(encoding="utf-8")) == {
        "url": "http://127.0.0.1:8085/w",
        "stream_key": "key-0-of-pi-cam",
        "room": "csi_camera",
        "name": "pi-cam",
        "ingress_id": "IN_0",
    }
    assert list(tmp_path.iterdir()) == [out]
    assert "key-0" not in ran.stdout + ran.stderr
    assert f'stream_key_file = "{out}"' in ran.stdout
    assert "key-0" not in repr(read(out))
    assert key_in(out.read_text(encoding="utf-8")) == "key-0-of-pi-cam"


def test_a_key_alone_is_a_key_and_something_else_is_refused() -> None:
    assert key_in("abcdef") == "abcdef"
    with pytest.raises(ValueError, match="create-ingress") as refused:
        key_in('{"stream_key": "abcdef"}')
    assert "abcdef" not in str(refused.value)


def test_rtmp_by_option(livekit: Livekit, tmp_path: Path) -> None:
    out = tmp_path / "ingress.json"
    assert run(livekit.url, out, "--protocol", "rtmp").returncode == 0
    assert read(out).url == "rtmp://127.0.0.1:1935/live"
    assert not livekit.items[0].HasField("enable_transcoding")
    other = run(livekit.url, out)
    assert other.returncode == 6 and "not for whip" in other.stderr


def test_another_room_is_another_ingress(livekit: Livekit, tmp_path: Path) -> None:
    livekit.add(
        CreateIngressRequest(
            input_type=IngressInput.WHIP_INPUT, name="pi-cam", room_name="usb_camera"
        )
    )
    ran = run(livekit.url, tmp_path / "out")
    assert ran.returncode == 6 and "usb_camera" in ran.stderr
    assert not (tmp_path / "out").exists()


def test_what_livekit_refuses_is_said(livekit: Livekit, tmp_path: Path) -> None:
    wrong = {"BEEPER_LIVEKIT__SECRET": SECRET[::-1]}
    ran = run(livekit.url, tmp_path / "out", **wrong)
    assert ran.returncode == 4 and "livekit.key or its secret" in ran.stderr
    assert SECRET[::-1] not in ran.stderr
    said = {"code": "internal", "msg": "ingress not connected (redis required)"}
    livekit.broken = (500, "application/json", json.dumps(said).encode())
    ran = run(livekit.url, tmp_path / "out")
    assert ran.returncode == 4 and "without redis" in ran.stderr
    livekit.broken = None
    livekit.base[1] = ""
    ran = run(livekit.url, tmp_path / "out")
    assert ran.returncode == 4 and "whip_base_url" in ran.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "broken",
    [
        (200, "text/html", b"<p>another server"),
        (404, "text/html", b"<p>another server"),
        (502, "text/html", b""),
    ],
)
def test_something_else_that_answers_is_no_livekit(
    livekit: Livekit, tmp_path: Path, broken: tuple[int, str, bytes]
) -> None:
    livekit.broken = broken
    ran = run(livekit.url, tmp_path / "out")
    assert ran.returncode in (3, 4)
    assert "Traceback" not in ran.stderr and len(ran.stderr.splitlines()) == 1


def test_nobody_who_answers_is_said_in_time(livekit: Livekit, tmp_path: Path) -> None:
    ran = run(f"http://127.0.0.1:{free_port()}", tmp_path / "out")
    assert ran.returncode == 3 and "cannot be reached" in ran.stderr
    livekit.silent.set()
    ran = run(livekit.url, tmp_path / "out", BEEPER_LIVEKIT__TIMEOUT="0.3")
    assert ran.returncode == 3 and "no answer" in ran.stderr


def test_a_file_that_cannot_be_written_is_said(livekit: Livekit, tmp_path: Path) -> None:
    ran = run(livekit.url, tmp_path / "nowhere" / "out")
    assert ran.returncode == 5 and "No such file" in ran.stderr


def test_settings_and_command_line_are_checked(tmp_path: Path) -> None:
    missing = run("http://127.0.0.1:1", tmp_path / "out", BEEPER_LIVEKIT__SECRET="")
    assert missing.returncode == 1 and "livekit.secret" in missing.stderr
    nowhere = {"BEEPER_LIVEKIT__SECRET_FILE": str(tmp_path / "nothing")}
    file = run("http://127.0.0.1:1", tmp_path / "out", **nowhere)
    assert file.returncode == 1 and "livekit.secret_file" in file.stderr
    assert run("ftp://x", tmp_path / "out").returncode == 1
    assert run("http://127.0.0.1:1", tmp_path / "out", "--protocol", "srt").returncode == 2
    shown = run("http://127.0.0.1:1", tmp_path / "out", "--help")
    assert shown.returncode == 0 and "exit codes: 0 done" in shown.stdout
