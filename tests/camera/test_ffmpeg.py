"""The encoder's arguments: every picture under its own time, key frames by time."""

import itertools
import subprocess

import pytest
from camera import ffmpeg
from camera.settings import Camera
from camera.source import SourceError
from media.nut import NutReader, Packet, Stream

BOOT = 1_234_567.891
"""Seconds since boot at which the first picture is taken."""


def encode(interval: float) -> list[Packet]:
    """Five seconds of pictures with kernel timestamps, encoded as those of a USB camera."""
    source = (
        f"testsrc2=s=320x240:r=10,trim=end_frame={round(5 / interval)},settb=1/1000000,"
        f"setpts=PTS*{10 * interval}+{BOOT}/TB"
    )
    command = [*ffmpeg.START, "-copyts", "-f", "lavfi", "-i", source]
    done = subprocess.run([*command, *ffmpeg.x264(Camera())], capture_output=True, check=True)
    return NutReader().feed(done.stdout)


@pytest.mark.parametrize("interval", [0.04, 0.113, 0.4])
def test_time_is_kept_and_key_frames_come_by_it(interval: float) -> None:
    packets = encode(interval)
    times = [packet.pts for packet in packets]
    assert times == pytest.approx([BOOT + n * interval for n in range(len(times))], abs=1e-4)
    keys = [packet.pts for packet in packets if packet.key]
    steps = [two - one for one, two in itertools.pairwise(keys)]
    assert len(steps) >= 3
    assert all(0.999 <= step < 1 + interval for step in steps)


async def test_packets_come_with_their_stream_and_the_end_is_told_in_words() -> None:
    got: list[tuple[str, int]] = []

    def take(stream: Stream, packet: Packet) -> None:
        got.append((stream.kind, len(packet.data)))

    tone = ["-f", "lavfi", "-i", "sine=d=0.2"]
    with pytest.raises(SourceError, match=r"^it ended$"):
        await ffmpeg.run([*tone, *ffmpeg.opus(48)], take)
    assert {kind for kind, _ in got} == {"audio"}
    assert len(got) >= 10
    with pytest.raises(SourceError, match="No such file"):
        await ffmpeg.run(["-i", "/nowhere", *ffmpeg.opus(48)], take)
