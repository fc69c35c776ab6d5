"""Sound through ALSA, and sound that fails: the pictures never notice."""

import itertools
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from camera_ear import Ear, children, variables
from conftest import Start

SMALL = {"driver": "test", "width": "320", "height": "240", "fps": "20"}
WAITED = 45_000
"""Ticks of 90 kHz: a picture that waits for the sound waits longer, a busy machine does not."""


class Microphone:
    """ALSA's `file` plugin as a capture device, fed through a pipe in real time."""

    def __init__(self, folder: Path) -> None:
        self._pipe = folder / "sound"
        os.mkfifo(self._pipe)
        self._keep = os.open(self._pipe, os.O_RDWR)
        (folder / "asound.conf").write_text(
            'pcm.microphone { type file slave.pcm { type null } file "/dev/null" '
            f'infile "{self._pipe}" format raw }}\n'
        )
        self.environment = {"ALSA_CONFIG_PATH": str(folder / "asound.conf")}
        self._source: subprocess.Popen[bytes] | None = None

    def speak(self) -> None:
        tone = ["ffmpeg", "-v", "error", "-re", "-f", "lavfi", "-i", "sine=f=440:r=48000"]
        raw = ["-f", "s16le", "-ac", "1", "-flush_packets", "1", "-y", str(self._pipe)]
        self._source = subprocess.Popen([*tone, *raw], stdin=subprocess.DEVNULL)

    def fall_silent(self) -> None:
        assert self._source
        self._source.kill()
        self._source.wait()

    def close(self) -> None:
        if self._source and self._source.poll() is None:
            self.fall_silent()
        os.close(self._keep)


@pytest.fixture
def microphone(tmp_path: Path) -> Iterator[Microphone]:
    microphone = Microphone(tmp_path)
    yield microphone
    microphone.close()


def test_alsa_is_encoded_and_slaved_to_the_station(
    start: Start, ear: Ear, microphone: Microphone
) -> None:
    given = variables("csi", **SMALL, audio="alsa:microphone")
    start("camera", "csi", **microphone.environment, **given)
    ear.more(10)
    microphone.speak()
    # What had gathered in the pipe came at once, as from no microphone.
    ear.more(50, "audio")
    packets = ear.more(150, "audio")
    ticks = [packet.header.tfdt for packet in packets]
    steps = [two - one for one, two in itertools.pairwise(ticks)]
    assert sum(abs(step - 960) < 5 for step in steps) > 140
    assert min(packet.age for packet in packets) > 0
    ear.fresh(0.3, "audio")
    assert min(len(packet.data) for packet in packets) > 20
    ear.said(lambda s: s.audio_codec == "opus" and not s.warning, "sound")


def test_silence_costs_no_picture(start: Start, ear: Ear, microphone: Microphone) -> None:
    microphone.speak()
    given = variables("csi", **SMALL, audio="alsa:microphone", stall_timeout="3")
    start("camera", "csi", **microphone.environment, **given)
    ear.more(20, "audio")
    ear.more(5)
    microphone.fall_silent()
    ear.said(lambda s: s.warning and "no sound for 3 s" in s.warning, "the silence")
    ear.more(20)
    microphone.speak()
    ear.more(20, "audio")
    unbroken(ear)


def test_a_dying_encoder_of_sound_costs_no_picture(start: Start, ear: Ear) -> None:
    service = start("camera", "csi", **variables("csi", **SMALL, audio="test"))
    for _ in range(3):
        ear.more(10, "audio")
        sound = max(children(service))
        os.kill(sound, signal.SIGKILL)
        ear.more(5)
    ear.more(10, "audio")
    unbroken(ear)
    ticks = [packet.header.tfdt for packet in ear.sound]
    assert all(one < two for one, two in itertools.pairwise(ticks))


def test_a_missing_microphone_costs_no_picture(start: Start, ear: Ear) -> None:
    start("camera", "csi", **variables("csi", **SMALL, audio="alsa:nowhere"))
    status = ear.said(lambda s: s.warning and s.state == "streaming", "the reason")
    assert status.warning is not None
    assert status.warning.startswith("no sound: no device: cannot open audio device nowhere")
    assert (status.audio_codec, status.error) == (None, None)
    ear.more(20)
    unbroken(ear)


def unbroken(ear: Ear) -> None:
    """Every picture is there, none waited, and the encoder was never started again."""
    assert len({frame.session for frame in ear.video}) == 1
    assert [frame.header.seq for frame in ear.video] == list(range(1, len(ear.video) + 1))
    ticks = [frame.header.tfdt for frame in ear.video]
    assert all(two - one < WAITED for one, two in itertools.pairwise(ticks))
    assert {status.restarts for status in ear.statuses} == {0}
