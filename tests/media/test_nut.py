"""The demuxer gives what ffmpeg's gives, and every packet with its last byte."""

import time
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media.nut import NutError, NutReader, Packet

NAMES = [
    *("baseline", "main", "b_frames", "delimited", "large", "opus", "aac", "mp3"),
    *("both", "broadcast", "no_syncpoints"),
]
Bytes = Callable[[str], bytes]
Reference = Callable[[str], tuple[tuple[int, float, bool, bytes], ...]]


@pytest.mark.parametrize("name", NAMES)
def test_packets_are_those_of_ffmpegs_demuxer(
    nut_stream: Bytes, reference_packets: Reference, name: str
) -> None:
    packets = NutReader().feed(nut_stream(name))
    expected = reference_packets(name)
    assert len(packets) == len(expected) > 0
    for packet, (stream, pts, key, data) in zip(packets, expected, strict=True):
        assert (packet.stream, packet.key, packet.data) == (stream, key, data)
        assert packet.pts == pytest.approx(pts, abs=1e-9)


@pytest.mark.parametrize("name", ["baseline", "opus", "both", "mp3", "no_syncpoints"])
def test_bytes_fed_one_by_one_give_the_same_packets(nut_stream: Bytes, name: str) -> None:
    data = nut_stream(name)
    reader = NutReader()
    packets: list[Packet] = []
    for index in range(len(data)):
        packets += reader.feed(data[index : index + 1])
    assert packets == NutReader().feed(data)


@pytest.mark.parametrize("name", ["baseline", "opus", "both", "large"])
def test_a_packet_comes_with_its_last_byte(nut_stream: Bytes, name: str) -> None:
    data = nut_stream(name)
    position = 0
    for packet in NutReader().feed(data):
        end = data.index(packet.data, position) + len(packet.data)
        before = len(NutReader().feed(data[: end - 1]))
        assert NutReader().feed(data[:end])[before:] == [packet]
        position = end


def test_a_video_stream_is_described(nut_stream: Bytes) -> None:
    reader = NutReader()
    reader.feed(nut_stream("baseline"))
    (video,) = reader.streams
    assert (video.kind, video.fourcc, video.width, video.height) == ("video", b"H264", 320, 240)
    assert isinstance(video.time_base, Fraction)
    assert video.extradata.startswith(b"\0\0\0\1\x67")


def test_an_audio_stream_is_described(nut_stream: Bytes) -> None:
    reader = NutReader()
    reader.feed(nut_stream("opus"))
    (audio,) = reader.streams
    assert (audio.kind, audio.sample_rate, audio.channels) == ("audio", 48000, 1)
    assert audio.extradata.startswith(b"OpusHead")


def test_headers_are_there_before_the_first_packet(nut_stream: Bytes) -> None:
    data = nut_stream("both")
    reader = NutReader()
    for index in range(len(data)):
        if reader.feed(data[index : index + 1]):
            break
    assert [stream.kind for stream in reader.streams] == ["video", "audio"]


def test_headers_repeated_in_the_stream_change_nothing(nut_stream: Bytes) -> None:
    data = nut_stream("both")
    first = data.index(SYNCPOINT)
    headers = data[len(b"nut/multimedia container\0") : first]
    second = data.index(SYNCPOINT, first + 1)
    assert NutReader().feed(data[:second] + headers + data[second:]) == NutReader().feed(data)


def test_memoryviews_may_be_fed_from_a_buffer_that_is_used_again(nut_stream: Bytes) -> None:
    data = nut_stream("baseline")
    reader, buffer, packets = NutReader(), bytearray(1000), []
    for start in range(0, len(data), 1000):
        piece = data[start : start + 1000]
        buffer[: len(piece)] = piece
        packets += reader.feed(memoryview(buffer)[: len(piece)])
    assert packets == NutReader().feed(data)


def test_a_large_packet_in_small_pieces_costs_no_more_than_its_bytes() -> None:
    def cost(size: int) -> float:
        data = nut_of_one_packet(size)
        started = time.process_time()
        reader = NutReader(max_packet=64 << 20)
        packets = [p for i in range(0, len(data), 4096) for p in reader.feed(data[i : i + 4096])]
        assert [len(packet.data) for packet in packets] == [size]
        return time.process_time() - started

    small, large = (min(cost(size) for _ in range(3)) for size in (4 << 20, 32 << 20))
    assert large < 32 * small  # eight times the bytes: quadratic cost would be 64 times


def test_a_packet_over_the_limit_is_refused() -> None:
    with pytest.raises(NutError, match="a frame of 1001 bytes"):
        NutReader(max_packet=1000).feed(nut_of_one_packet(1001))


@pytest.mark.parametrize("data", [b"\0", b"\0\0\0\1\x67", b"nut/multimedia comtainer\0", b"RIFF"])
def test_other_formats_are_refused_at_once(data: bytes) -> None:
    with pytest.raises(NutError, match="not a NUT stream"):
        NutReader().feed(data)


def test_a_damaged_header_is_refused(nut_stream: Bytes) -> None:
    data = bytearray(nut_stream("baseline"))
    data[40] ^= 1
    with pytest.raises(NutError, match="checksum"):
        NutReader().feed(bytes(data))


def test_a_frame_before_the_headers_is_refused() -> None:
    with pytest.raises(NutError, match="before the headers at byte 25"):
        NutReader().feed(b"nut/multimedia container\0\1")


@settings(max_examples=300)
@given(st.binary(max_size=400))
def test_garbage_never_raises_anything_else(garbage: bytes) -> None:
    expect_packets_or_nut_error(b"nut/multimedia container\0" + garbage)
    expect_packets_or_nut_error(garbage)


@settings(max_examples=300)
@given(st.data())
def test_damaged_streams_never_raise_anything_else(nut_stream: Bytes, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["baseline", "both", "no_syncpoints"]))
    stream = bytearray(nut_stream(name)[:8000])
    for _ in range(data.draw(st.integers(1, 4))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    expect_packets_or_nut_error(bytes(stream))


@settings(max_examples=300)
@given(st.binary(max_size=200), st.sampled_from(["MAIN", "STREAM", "SYNC"]))
def test_headers_with_right_checksums_and_wrong_content_raise_nothing_else(
    content: bytes, kind: str
) -> None:
    start = {"MAIN": MAIN, "STREAM": STREAM, "SYNC": SYNCPOINT}[kind]
    headers = b"" if kind == "MAIN" else one_stream_headers()
    expect_packets_or_nut_error(
        b"nut/multimedia container\0" + headers + header(start, content) + bytes(64)
    )


def expect_packets_or_nut_error(data: bytes) -> None:
    reader = NutReader()
    try:
        packets = reader.feed(data)
    except NutError as error:
        assert str(error)
    else:
        assert all(isinstance(packet.data, bytes) for packet in packets)


MAIN = bytes.fromhex("4e4d7a561f5f04ad")
STREAM = bytes.fromhex("4e5311405bf2f9db")
SYNCPOINT = bytes.fromhex("4e4be4adeeca4569")
CODED_PTS, SIZE_MSB, CHECKSUM, HEADER_IDX, SM_DATA, CODED = 8, 32, 64, 1024, 256, 4096
RESERVED, MATCH_TIME = 128, 2048


def slow_crc(data: bytes) -> bytes:
    value = 0
    for byte in data:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value >> 31 else 0)) & 0xFFFFFFFF
    return value.to_bytes(4, "big")


def v(value: int) -> bytes:
    out = bytes([value & 0x7F])
    while value := value >> 7:
        out = bytes([0x80 | value & 0x7F]) + out
    return out


def header(start: bytes, content: bytes) -> bytes:
    return start + v(len(content) + 4) + content + slow_crc(content)


def one_stream_headers(version: int = 3, elision: tuple[bytes, ...] = ()) -> bytes:
    minor = v(1) if version > 3 else b""
    table = v(CODED) + v(6) + v(0) + v(1) + v(0) + v(0) + v(0) + v(255)
    elided = v(len(elision)) + b"".join(v(len(text)) + text for text in elision)
    main = v(version) + minor + v(1) + v(65536) + v(1) + v(1) + v(1000) + table + elided + v(0)
    video = b"".join(map(v, (0, 0))) + v(4) + b"H264" + b"".join(map(v, (0, 7, 1000, 0, 0, 0)))
    video += b"".join(map(v, (640, 480, 0, 0, 0)))
    return header(MAIN, main) + header(STREAM, video)


def nut_of_one_packet(size: int) -> bytes:
    head = b"\0" + v(CODED | 1 | CODED_PTS | SIZE_MSB | CHECKSUM) + v(128 + 500) + v(size)
    frame = head + slow_crc(head) + bytes(size)
    return b"nut/multimedia container\0" + one_stream_headers() + frame


def frame(flags: int, *fields: int, data: bytes) -> bytes:
    return b"\0" + v(CODED | flags) + b"".join(map(v, fields)) + data


def read(*frames: bytes, version: int = 3, elision: tuple[bytes, ...] = ()) -> list[Packet]:
    start = b"nut/multimedia container\0" + one_stream_headers(version, elision)
    return NutReader().feed(start + b"".join(frames))


def test_elided_headers_come_back_before_the_data() -> None:
    flags = SIZE_MSB | HEADER_IDX
    packets = read(frame(flags, 7, 1, data=b"DATA"), elision=(b"\0\0\1",))
    assert [packet.data for packet in packets] == [b"\0\0\1DATA"]


def test_a_frame_over_4096_bytes_is_never_elided() -> None:
    packets = read(frame(SIZE_MSB | HEADER_IDX, 4097, 1, data=bytes(4097)), elision=(b"abc",))
    assert [packet.data for packet in packets] == [bytes(4097)]


def test_side_and_meta_data_are_stepped_over() -> None:
    side = v(2) + v(1) + b"a" + v(2) + v(3) + b"one"
    side += v(1) + b"b" + v(4) + v(1) + b"t" + v(1) + b"x"
    meta = v(2) + v(1) + b"c" + v(6) + v(9) + v(1) + b"d" + v(3)
    extra = side + meta
    (packet,) = read(frame(SIZE_MSB | SM_DATA, len(extra) + 4, data=extra + b"DATA"), version=4)
    assert packet.data == b"DATA"


def test_side_data_longer_than_its_frame_is_refused() -> None:
    with pytest.raises(NutError, match="side data"):
        read(frame(SIZE_MSB | SM_DATA, 2, data=b"\5\5\5\5"), version=4)


def test_match_time_and_reserved_fields_are_stepped_over() -> None:
    flags = SIZE_MSB | MATCH_TIME | RESERVED
    packets = read(frame(flags, 4, 17, 2, 300, 5, data=b"DATA"))
    assert [packet.data for packet in packets] == [b"DATA"]


def test_short_times_wrap_round_the_last_one() -> None:
    flags = CODED_PTS | SIZE_MSB
    times = [128 + 120, 126, 2, 1, 128 + 2**40, 0]
    packets = read(*(frame(flags, pts, 1, data=b"x") for pts in times))
    ticks = [round(packet.pts * 1000) for packet in packets]
    assert ticks == [120, 126, 130, 129, 2**40, 2**40]


def test_a_wrong_checksum_of_a_frame_header_is_refused() -> None:
    with pytest.raises(NutError, match="checksum of a frame header"):
        read(frame(SIZE_MSB | CHECKSUM, 4, data=b"\0\0\0\0DATA"))


def test_a_large_frame_without_checksum_is_refused() -> None:
    with pytest.raises(NutError, match="without a checksum"):
        read(frame(SIZE_MSB, 131073, data=b""))


def test_an_unknown_header_is_passed_over() -> None:
    unknown = b"NZ\1\2\3\4\5\6" + v(3004) + bytes(3004)
    packets = read(unknown, frame(SIZE_MSB, 4, data=b"DATA"))
    assert [packet.data for packet in packets] == [b"DATA"]


def test_a_syncpoint_sets_the_time_that_short_times_lie_near() -> None:
    flags = CODED_PTS | SIZE_MSB
    packets = read(
        frame(flags, 128 + 100, 1, data=b"x"),
        header(SYNCPOINT, v(1_000_000) + v(0)),
        frame(flags, 1_000_005 & 127, 1, data=b"x"),
    )
    assert [round(packet.pts * 1000) for packet in packets] == [100, 1_000_005]
