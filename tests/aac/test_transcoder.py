import itertools
from fractions import Fraction

import av
import numpy as np
import pytest
from aac.transcoder import FRAME, Frame, Transcoder
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from media.clock import AUDIO_TIMESCALE as RATE

PACKET = RATE // 50
PRE_SKIP = 312
"""Samples that libopus looks ahead; the camera takes them off its times."""
START = 5_000_000
ONSETS = (RATE // 2, RATE * 3 // 2)
"""Samples from the start at which a tone begins."""
NEAR = RATE // 200
"""5 ms."""


def opus(seconds: float) -> list[tuple[bytes, int]]:
    """Silence with a tone of 100 ms at each onset: packets and their times."""
    time = np.arange(round(seconds * RATE))
    sound = np.zeros(len(time), np.int16)
    for onset in ONSETS:
        tone = time[: RATE // 10]
        sound[onset : onset + len(tone)] = 12_000 * np.sin(2 * np.pi * 1000 * tone / RATE)
    encoder = AudioCodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = RATE, "mono", "s16"
    encoder.time_base = Fraction(1, RATE)
    encoder.open()
    packets: list[bytes] = []
    for first in range(0, len(sound) - PACKET + 1, PACKET):
        frame = AudioFrame.from_ndarray(sound[None, first : first + PACKET], "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return [(data, START + n * PACKET - PRE_SKIP) for n, data in enumerate(packets)]


def transcode(packets: list[tuple[bytes, int]], fill: float = 5) -> list[Frame]:
    transcoder = Transcoder(1, 64_000, fill)
    return [frame for data, time in packets for frame in transcoder.take(data, time)]


def onsets(frames: list[Frame]) -> list[int]:
    """Where the tones begin for a listener, in samples from the start."""
    decoder = AudioCodecContext.create("aac", "r")
    decoder.extradata = Transcoder(1, 64_000, 5).config
    times, samples = [], []
    for data, time in frames:
        for decoded in decoder.decode(av.Packet(data)):
            piece = decoded.to_ndarray()[0]
            samples.append(piece)
            times.append(time + np.arange(len(piece)) - START)
    loud = np.concatenate(times)[np.abs(np.concatenate(samples)) > 0.1]
    begins = [loud[0], *loud[1:][np.diff(loud) > RATE // 10]]
    return [int(begin) for begin in begins]


def test_a_tone_is_heard_when_it_was_made() -> None:
    frames = transcode(opus(2))
    assert all(b.time - a.time == FRAME for a, b in itertools.pairwise(frames))
    assert onsets(frames) == pytest.approx(ONSETS, abs=NEAR)


def test_lost_packets_become_silence_and_move_nothing() -> None:
    packets = opus(2)
    frames = transcode(packets[:40] + packets[55:])
    assert all(b.time - a.time == FRAME for a, b in itertools.pairwise(frames))
    assert onsets(frames) == pytest.approx(ONSETS, abs=NEAR)


def test_after_a_long_pause_the_times_are_right_again() -> None:
    packets = opus(2)
    later = [(data, time + 20 * RATE) for data, time in packets[60:]]
    first, second = onsets(transcode(packets[:50] + later, fill=1))
    assert first == pytest.approx(ONSETS[0], abs=NEAR)
    assert second == pytest.approx(ONSETS[1] + 20 * RATE, abs=NEAR)


def test_rubbish_is_passed_over() -> None:
    packets = opus(2)
    packets[10] = b"\xff" * 7, packets[10][1]
    assert onsets(transcode(packets)) == pytest.approx(ONSETS, abs=NEAR)
