"""What must be known by the target only is seen nowhere else."""

import os
from pathlib import Path

import psutil
import pytest
from conftest import DEADLINE, free_port
from relay_peers import Hearing, Receiver, Relay, Relays, WhipReceiver

SECRETS = {
    "rtsp": {"username": "me", "password": "Geheimnis-1"},
    "rtmp": {"stream_key": "Geheimnis-1"},
    "whip": {"token": "Geheimnis-1"},
}
URLS = {
    "rtsp": "rtsp://127.0.0.1:{}/csi_camera",
    "rtmp": "rtmp://127.0.0.1:{}/live",
    "whip": "whip://127.0.0.1:{}/csi_camera/whip",
}


def seen(relay: Relay, hearing: Hearing) -> str:
    """Everything that others can see: the log, the bus, the command lines."""
    process = psutil.Process(relay.service.process.pid)
    family = [process, *process.children(recursive=True)]
    lines = [" ".join(one.cmdline()) for one in family]
    return "\n".join([relay.service.log(), b"\n".join(hearing.payloads).decode(), *lines])


@pytest.mark.parametrize("kind", SECRETS)
def test_they_are_not_seen_when_the_target_is_away(
    kind: str, relays: Relays, hearing: Hearing
) -> None:
    url = URLS[kind].format(free_port())
    relay = relays("one", url, log_level="debug", **SECRETS[kind])
    shown = "/".join(url.split("/")[:3])
    assert relay.fails().target == f"{shown}/…"
    assert "Geheimnis" not in seen(relay, hearing)


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://me:Geheimnis-1@127.0.0.1:{}/way",
        "rtsps://Geheimnis-1:x@127.0.0.1:{}/way",
        "rtsp://127.0.0.1:{}/Geheimnis-1/way",
        "rtmp://127.0.0.1:{}/Geheimnis-1",
        "rtmp://127.0.0.1:{}/live/Geheimnis-1?x=1",
        "rtmps://127.0.0.1:{}/live/way?key=Geheimnis-1",
        "whip://127.0.0.1:{}/w/Geheimnis-1",
        "https://127.0.0.1:{}/Geheimnis-1/publish",
        "http://me:Geheimnis-1@127.0.0.1:{}/way?token=Geheimnis-1",
        "whip://[::1]:{}/w?token=Geheimnis-1",
    ],
)
def test_no_part_of_a_url_is_seen(url: str, relays: Relays, hearing: Hearing) -> None:
    relay = relays("one", url.format(free_port()), log_level="debug")
    assert "Geheimnis" not in relay.fails().target
    assert "Geheimnis" not in seen(relay, hearing)


def test_why_a_target_is_not_reached_is_told(relays: Relays) -> None:
    port = free_port()
    relays("one", f"rtmp://127.0.0.1:{port}/live/key").fails(f"port {port} refuses connections")


@pytest.mark.parametrize(("sign", "code"), [("#", "%23"), ("/", "%2F"), ("@", "%40")])
def test_what_to_encode_is_told_in_one_line(sign: str, code: str, relays: Relays) -> None:
    relay = relays("one", f"rtsp://me:Geheimnis{sign}1@127.0.0.1/way")
    assert relay.service.process.wait(DEADLINE) == 1
    says = f"relay.one: url: the password contains '{sign}': write it as {code} ("
    assert says in relay.service.log()
    assert len(relay.service.log().splitlines()) == 1
    assert "Geheimnis" not in relay.service.log()


@pytest.mark.parametrize("kind", ["rtsp", "rtmp"])
def test_they_are_not_seen_while_streaming(
    kind: str, request: pytest.FixtureRequest, relays: Relays, hearing: Hearing
) -> None:
    receiver: Receiver = request.getfixturevalue(kind)
    relay = relays("one", URLS[kind].format(receiver.port), **SECRETS[kind])
    receiver.receives(10)
    relay.streams()
    assert "Geheimnis" not in seen(relay, hearing)


def test_a_whip_endpoint_gets_the_token_from_a_file(
    tmp_path: Path, relays: Relays, hearing: Hearing
) -> None:
    file = tmp_path / "token"
    with WhipReceiver(tmp_path, token=SECRETS["whip"]["token"]) as receiver:
        relay = relays("one", receiver.url, token_file=str(file))
        relay.fails("No such file")
        file.write_text("wrong\n")
        relay.fails("401 Unauthorized")
        file.write_text("Geheimnis-1\n")
        receiver.receives(10)
        assert "Geheimnis" not in seen(relay, hearing)


def test_a_wrong_setting_does_not_show_the_url(relays: Relays) -> None:
    relay = relays("one", "gopher://me:Geheimnis-1@127.0.0.1/")
    assert relay.service.process.wait(DEADLINE) == 1
    assert "begins with rtsp://" in relay.service.log()
    assert "Geheimnis" not in relay.service.log()


def test_an_unknown_relay_is_a_clear_error(relays: Relays) -> None:
    assert "BEEPER_RELAY__ONE__URL" not in os.environ
    relay = relays("one", "")
    assert relay.service.process.wait(DEADLINE) == 1
    assert "there is no relay 'one'" in relay.service.log()
