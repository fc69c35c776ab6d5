"""What is written as NUT is what ffmpeg's demuxer and our own read."""

import io
from collections.abc import Callable
from fractions import Fraction

import av
from media.nut import NutReader, NutWriter, Packet, Stream

TICK = Fraction(1, 90_000)
FIRST = 123_456_789_012
"""Ticks: 16 days after boot."""


def rewritten(data: bytes) -> tuple[bytes, list[Packet]]:
    """A stream, written again with times of our own."""
    reader = NutReader()
    packets = reader.feed(data)
    writer = NutWriter(reader.streams[0], TICK)
    out = writer.header()
    for number, packet in enumerate(packets):
        out += writer.packet(FIRST + number * 9000, packet.key, packet.data)
    return out, packets


def test_ffmpeg_reads_what_is_written(nut_stream: Callable[[str], bytes]) -> None:
    for name in ("baseline", "b_frames", "large"):
        out, packets = rewritten(nut_stream(name))
        with av.open(io.BytesIO(out), "r", format="nut") as film:
            found = [p for p in film.demux(video=0) if p.size]
            assert film.streams.video[0].codec_context.name == "h264"
        assert [bytes(p) for p in found] == [p.data for p in packets]
        assert [p.is_keyframe for p in found] == [p.key for p in packets]
        assert [p.pts for p in found] == [FIRST + n * 9000 for n in range(len(packets))]


def test_our_own_reader_reads_it_too(nut_stream: Callable[[str], bytes]) -> None:
    out, packets = rewritten(nut_stream("large"))
    reader = NutReader()
    found = reader.feed(out)
    assert [(p.key, p.data) for p in found] == [(p.key, p.data) for p in packets]
    assert [round(p.pts / TICK) for p in found] == [FIRST + n * 9000 for n in range(len(packets))]


def test_a_long_description_and_the_reordering_are_kept() -> None:
    stream = Stream("video", b"MJPG", TICK, bytes(5000), 0, 640, 360, decode_delay=2)
    reader = NutReader()
    reader.feed(NutWriter(stream, TICK).header())
    (found,) = reader.streams
    assert (found.fourcc, found.extradata, found.decode_delay) == (b"MJPG", bytes(5000), 2)
    assert (found.width, found.height) == (640, 360)
