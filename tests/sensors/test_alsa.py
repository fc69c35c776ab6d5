"""Sound through the real arecord: ALSA's `file` plugin as microphone, and recorders that fail."""

import asyncio
import math
import os
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import DEADLINE
from sensors.alsa import explain, record
from sensors.level import Meter
from sensors.settings import Audio
from sensors.source import Fault

Microphone = Callable[["array[int]"], Audio]


@pytest.fixture
def microphone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Microphone:
    """Makes a capture device `microphone` that plays samples round and round."""

    def make(samples: "array[int]") -> Audio:
        (tmp_path / "sound.raw").write_bytes(samples.tobytes())
        (tmp_path / "alsa.conf").write_text(
            f'pcm.microphone {{ type file slave.pcm nothing file "/dev/null" '
            f'infile "{tmp_path}/sound.raw" format raw }}\npcm.nothing {{ type null }}\n'
        )
        monkeypatch.setenv("ALSA_CONFIG_PATH", str(tmp_path / "alsa.conf"))
        return Audio(device="microphone", silence=5, devices=tmp_path)

    return make


class Heard(Exception):
    """Enough was heard."""


def until(seconds: float, meter: Meter) -> Callable[[bytes], None]:
    """Fills a meter until it has heard that many seconds of sound."""
    missing = seconds * 96_000

    def heard(data: bytes) -> None:
        nonlocal missing
        meter.add(data)
        missing -= len(data)
        if missing <= 0:
            raise Heard

    return heard


async def test_a_known_sine_has_its_known_level(microphone: Microphone) -> None:
    tone = array("h", [round(32767 * math.sin(math.tau * n / 48)) for n in range(48_000)])
    meter = Meter()
    with pytest.raises(Heard):
        await record(microphone(tone), until(1, meter))
    level = meter.take()
    assert level is not None
    assert level.rms == pytest.approx(-3.01, abs=0.02)
    assert level.peak == pytest.approx(0, abs=0.01)


def recorder(folder: Path, body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for an arecord whose hardware does what `body` says."""
    path = folder / "bin" / "arecord"
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\necho $$ > {folder}/pid\n{body}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")


def gone(folder: Path) -> bool:
    return not Path(f"/proc/{(folder / 'pid').read_text().strip()}").exists()


async def test_a_device_that_blocks_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder(tmp_path, "head -c 9600 /dev/zero; exec sleep 10000", monkeypatch)
    meter = Meter()
    with pytest.raises(Fault, match=r"microphone has given no sound for 0\.3 s"):
        await record(Audio(device="microphone", silence=0.3), meter.add)
    assert meter.take() is not None
    assert gone(tmp_path)


async def test_a_device_that_dies_is_said_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder(
        tmp_path,
        "head -c 9600 /dev/zero; echo 'arecord: pcm_read: read error: Input/output error' >&2",
        monkeypatch,
    )
    meter = Meter()
    with pytest.raises(Fault, match="read error: Input/output error"):
        await record(Audio(device="microphone", devices=tmp_path), meter.add)
    assert meter.take() is not None
    assert gone(tmp_path)


async def test_a_recorder_that_complains_without_end_is_still_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder(
        tmp_path, "yes 'overrun!!!' | head -c 1000000 >&2; head -c 96000 /dev/zero", monkeypatch
    )
    meter = Meter()
    with pytest.raises(Heard):
        await record(Audio(devices=tmp_path), until(1, meter))


async def test_stopping_to_listen_ends_the_recorder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder(tmp_path, "exec cat /dev/zero", monkeypatch)
    heard = asyncio.Event()
    task = asyncio.create_task(record(Audio(devices=tmp_path), lambda _data: heard.set()))
    await asyncio.wait_for(heard.wait(), DEADLINE)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gone(tmp_path)


async def test_an_unknown_device_is_told_apart(microphone: Microphone) -> None:
    audio = microphone(array("h", [0])).model_copy(update={"device": "nobody"})
    with pytest.raises(Fault, match=r"no device 'nobody': install alsa/asound\.conf"):
        await record(audio, Meter().add)


async def test_the_shipped_configuration_defines_the_default_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = Path(__file__).parents[2] / "alsa" / "asound.conf"
    monkeypatch.setenv("ALSA_CONFIG_PATH", "/usr/share/alsa/alsa.conf")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("STATION_MICROPHONE", "NoSuchCard")
    (tmp_path / ".asoundrc").write_text(shipped.read_text())
    with pytest.raises(Fault, match="no microphone behind dsnoop_usb: plug it in"):
        await record(Audio(devices=tmp_path), Meter().add)


async def test_a_missing_recorder_is_told_how_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/no/such/folder")
    with pytest.raises(Fault, match="apt install alsa-utils"):
        await record(Audio(), Meter().add)


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("arecord: main:831: audio open error: Device or resource busy", "is busy: another"),
        ("arecord: main:831: audio open error: Permission denied", "group audio"),
        ("arecord: main:831: audio open error: No such file or directory", "no microphone behind"),
        ("ALSA lib confmisc.c:165:(snd_config_get_card) Cannot get card index", "no microphone"),
        (
            "ALSA lib pcm.c:2666: Unknown PCM dsnoop_usb\naudio open error: No such file",
            "asound.conf",
        ),
        ("something else\n", "arecord ended on dsnoop_usb: something else"),
        ("", "it says nothing"),
    ],
)
def test_what_alsa_says_is_put_in_words(said: str, means: str, tmp_path: Path) -> None:
    assert means in explain(said, Audio(devices=tmp_path))


def test_devices_that_cannot_be_opened_are_a_matter_of_permission(tmp_path: Path) -> None:
    # a link to nowhere is closed to root as well, who may open everything else
    (tmp_path / "pcmC0D0c").symlink_to(tmp_path / "nowhere")
    assert "group audio" in explain("No such file or directory", Audio(devices=tmp_path))
