"""Byte streams, parameter sets and slice headers, judged by ffmpeg."""

import io
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import pytest
from av.video.frame import PictureType
from hypothesis import given, settings
from hypothesis import strategies as st
from media import h264
from media.h264 import AnnexBSplitter, H264Error, SliceType, Sps
from media.nut import NutReader, Packet

Bytes = Callable[[str], bytes]
VIDEO = ["baseline", "main", "b_frames", "delimited", "sliced"]


def packets_of(stream: bytes) -> tuple[bytes, list[Packet]]:
    reader = NutReader()
    packets = reader.feed(stream)
    return reader.streams[0].extradata, packets


def parameter_sets(stream: bytes) -> tuple[bytes, bytes]:
    nals = h264.split_annex_b(packets_of(stream)[0])
    (sps,) = (nal for nal in nals if h264.nal_type(nal) == 7)
    (pps,) = (nal for nal in nals if h264.nal_type(nal) == 8)
    return sps, pps


def trace(annex_b: bytes, tmp_path: Path) -> dict[str, int]:
    """The fields of the parameter sets, as ffmpeg's trace_headers reads them."""
    path = tmp_path / "stream.h264"
    path.write_bytes(annex_b)
    command = ("ffmpeg", "-v", "trace", "-nostdin", "-f", "h264", "-i", str(path))
    options = ("-c", "copy", "-bsf:v", "trace_headers", "-f", "null", "-")
    done = subprocess.run((*command, *options), check=True, capture_output=True, text=True)
    fields: dict[str, int] = {}
    wanted = False
    for line in done.stderr.splitlines():
        if "trace_headers" not in line:
            continue
        if title := re.search(r"\] ([A-Z][A-Za-z ]+)$", line):
            wanted = title[1] == "Sequence Parameter Set"
        elif wanted and (field := re.search(r"\] \d+ +(\S+) +[01]+ = (-?\d+)$", line)):
            fields.setdefault(field[1], int(field[2]))
    fields.pop("rbsp_alignment_zero_bit", None)  # as many as the last byte needs
    return fields


def decoded(annex_b: bytes) -> str:
    """One hash for all pictures; any error of the stream fails."""
    command = ("ffmpeg", "-v", "error", "-nostdin", "-err_detect", "explode", "-xerror")
    options = ("-f", "h264", "-i", "-", "-f", "md5", "-")
    done = subprocess.run((*command, *options), input=annex_b, check=True, capture_output=True)
    assert done.stderr == b""
    return done.stdout.decode()


@pytest.mark.parametrize("name", VIDEO)
def test_a_byte_stream_comes_back_from_its_units(nut_stream: Bytes, name: str) -> None:
    extradata, packets = packets_of(nut_stream(name))
    nals = [nal for packet in packets for nal in h264.split_annex_b(packet.data)]
    assert h264.split_annex_b(h264.annex_b(nals)) == nals
    assert h264.split_length_prefixed(h264.length_prefixed(nals)) == nals
    original = decoded(
        h264.annex_b(h264.split_annex_b(extradata)) + b"".join(packet.data for packet in packets)
    )
    assert decoded(h264.annex_b([*h264.split_annex_b(extradata), *nals])) == original


def test_start_codes_of_three_and_four_bytes_and_trailing_zeros() -> None:
    stream = b"\0\0\0\1\x67A\0\0\1\x68B\0\0\0\0\0\1\x65\0\0\3\0C\0\0"
    assert h264.split_annex_b(stream) == [b"\x67A", b"\x68B", b"\x65\0\0\3\0C"]
    assert h264.split_annex_b(b"") == h264.split_annex_b(b"\0\0\1") == []


@pytest.mark.parametrize("data", [b"\x67", b"\0\1\x67", b"x\0\0\1\x67"])
def test_bytes_without_a_start_code_are_refused(data: bytes) -> None:
    with pytest.raises(H264Error, match="no start code"):
        h264.split_annex_b(data)


@pytest.mark.parametrize(
    "data", [b"\0", b"\0\0\0\1", b"\0\0\0\2A", b"\0\0\0\0", b"\xff\xff\xff\xffA"]
)
def test_lengths_that_do_not_add_up_are_refused(data: bytes) -> None:
    with pytest.raises(H264Error, match="do not add up"):
        h264.split_length_prefixed(data)


@pytest.mark.parametrize(
    ("name", "profile", "codec"),
    [
        ("baseline", 66, "avc1.42C00D"),
        ("main", 77, "avc1.4D400D"),
        ("b_frames", 100, "avc1.64000D"),
    ],
)
def test_a_parameter_set_is_read_as_ffmpeg_reads_it(
    nut_stream: Bytes, tmp_path: Path, name: str, profile: int, codec: str
) -> None:
    extradata, packets = packets_of(nut_stream(name))
    sps = Sps.parse(parameter_sets(nut_stream(name))[0])
    fields = trace(extradata + packets[0].data, tmp_path)
    assert sps.profile_idc == fields["profile_idc"] == profile
    assert sps.level_idc == fields["level_idc"]
    assert sps.pic_order_cnt_type == fields["pic_order_cnt_type"]
    assert sps.max_num_ref_frames == fields["max_num_ref_frames"]
    assert sps.max_num_reorder_frames == fields["max_num_reorder_frames"]
    assert (sps.width, sps.height, sps.frame_rate) == (320, 240, 30.0)
    assert sps.codec == codec


def test_only_what_cannot_reorder_says_so(nut_stream: Bytes) -> None:
    assert Sps.parse(parameter_sets(nut_stream("baseline"))[0]).never_reorders
    assert Sps.parse(parameter_sets(nut_stream("main"))[0]).never_reorders
    high = Sps.parse(parameter_sets(nut_stream("b_frames"))[0])
    assert not high.never_reorders
    assert not replace(high, max_num_reorder_frames=None).never_reorders
    assert replace(high, pic_order_cnt_type=2).never_reorders
    assert replace(high, profile_idc=66).never_reorders


# Cropped to 1920x1080, interlaced, 4:4:4, ten bits, scaling lists, HRD, odd sizes.
VARIETY = {
    "full_hd": ("-s", "1920x1080"),
    "odd": ("-s", "322x182"),
    "interlaced": ("-s", "320x240", "-x264-params", "tff=1"),
    "four_four_four": ("-s", "324x182", "-pix_fmt", "yuv444p"),
    "ten_bits": ("-s", "320x240", "-pix_fmt", "yuv420p10le"),
    "scaling": ("-s", "320x240", "-x264-params", "cqm=jvt"),
    "hrd": (
        *("-s", "320x240", "-b:v", "1M", "-maxrate", "1M", "-bufsize", "1M"),
        *("-x264-params", "nal-hrd=cbr"),
    ),
    "aspect": ("-s", "320x240", "-x264-params", "sar=13/11:overscan=show:range=pc:colorprim=bt709"),
    "chroma_location": ("-s", "320x240", "-x264-params", "chromaloc=3"),
}


def encoded(*options: str) -> bytes:
    source = ("-f", "lavfi", "-i", "testsrc2=r=25", "-frames:v", "3", "-c:v", "libx264")
    command = ("ffmpeg", "-v", "error", "-nostdin", *source, "-preset", "ultrafast")
    done = subprocess.run(
        (*command, *options, "-bf", "0", "-f", "h264", "-"), check=True, stdout=subprocess.PIPE
    )
    return done.stdout


@pytest.mark.parametrize("kind", VARIETY)
def test_unusual_parameter_sets_are_read_to_their_end(kind: str, tmp_path: Path) -> None:
    stream = encoded(*VARIETY[kind])
    sps = Sps.parse(h264.split_annex_b(stream)[0])
    fields = trace(stream, tmp_path)
    assert sps.max_num_reorder_frames == fields["max_num_reorder_frames"]
    assert sps.chroma_format_idc == fields.get("chroma_format_idc", 1)
    assert sps.bit_depth_luma == 8 + fields.get("bit_depth_luma_minus8", 0)
    with av.open(io.BytesIO(stream), "r", format="h264") as container:
        picture = next(container.decode(video=0))
    assert (sps.width, sps.height) == (picture.width, picture.height)
    assert sps.frame_rate == 25.0


class Bits:
    """Writes a parameter set field by field, so that a test can leave parts out."""

    def __init__(self) -> None:
        self.text = ""

    def u(self, value: int, count: int = 1) -> "Bits":
        self.text += f"{value:0{count}b}"
        return self

    def ue(self, value: int) -> "Bits":
        code = f"{value + 1:b}"
        self.text += "0" * (len(code) - 1) + code
        return self

    def nal(self) -> bytes:
        text = self.text + "1"
        text += "0" * (-len(text) % 8)
        payload = int(text, 2).to_bytes(len(text) // 8, "big")
        out, zeros = bytearray(b"\x67"), 0
        for byte in payload:
            if zeros >= 2 and byte <= 3:
                out.append(3)
                zeros = 0
            out.append(byte)
            zeros = 0 if byte else zeros + 1
        return bytes(out)


def plain_sps(fields: dict[str, int]) -> Bits:
    """A parameter set like those of x264's baseline streams of this test, up to its VUI flag."""
    bits = Bits().u(fields["profile_idc"], 8).u(0xC0, 8).u(fields["level_idc"], 8)
    bits.ue(0).ue(fields["log2_max_frame_num_minus4"]).ue(fields["pic_order_cnt_type"])
    bits.ue(fields["max_num_ref_frames"]).u(0).ue(19).ue(14).u(1)
    return bits.u(fields["direct_8x8_inference_flag"]).u(0)


def vui_of(kind: str, bits: Bits) -> Bits:
    if kind == "absent":
        return bits.u(0)
    timing = bits.u(1).u(0, 4).u(1).u(1, 32).u(60, 32).u(1).u(0, 3)
    if kind == "without restriction":
        return timing.u(0)
    timing.u(1).u(1).ue(0).ue(0).ue(11).ue(11)
    return timing.ue(2).ue(4)


@pytest.mark.parametrize("kind", ["absent", "without restriction", "reordering"])
def test_a_parameter_set_learns_to_say_that_nothing_is_reordered(
    nut_stream: Bytes, tmp_path: Path, kind: str
) -> None:
    extradata, packets = packets_of(nut_stream("baseline"))
    pps = parameter_sets(nut_stream("baseline"))[1]
    pictures = [nal for p in packets for nal in h264.slices(h264.split_annex_b(p.data))]
    before = vui_of(kind, plain_sps(trace(extradata + packets[0].data, tmp_path))).nal()
    after = h264.without_reordering(before)

    parsed = Sps.parse(after)
    assert parsed.max_num_reorder_frames == 0
    assert replace(parsed, max_num_reorder_frames=Sps.parse(before).max_num_reorder_frames) == (
        Sps.parse(before)
    )
    old = trace(h264.annex_b([before, pps, *pictures]), tmp_path)
    new = trace(h264.annex_b([after, pps, *pictures]), tmp_path)
    assert new["max_num_reorder_frames"] == 0
    assert new["max_dec_frame_buffering"] == (4 if kind == "reordering" else 1)
    expected = {"vui_parameters_present_flag": 1, "bitstream_restriction_flag": 1}
    if kind != "reordering":  # §E.2.1: what is inferred when it is not said
        expected |= {"motion_vectors_over_pic_boundaries_flag": 1, "max_bytes_per_pic_denom": 2}
        expected |= {"max_bits_per_mb_denom": 1, "log2_max_mv_length_horizontal": 15}
    changed = {"max_num_reorder_frames", "max_dec_frame_buffering", *expected}
    assert old.items() - new.items() <= {(k, v) for k, v in old.items() if k in changed}
    assert new.items() >= expected.items()
    assert decoded(h264.annex_b([after, pps, *pictures])) == decoded(
        h264.annex_b([before, pps, *pictures])
    )
    assert h264.without_reordering(after) is after


def test_a_rewritten_parameter_set_has_no_start_code_inside(nut_stream: Bytes) -> None:
    sps = parameter_sets(nut_stream("b_frames"))[0]
    after = h264.without_reordering(sps)
    assert h264.split_annex_b(h264.annex_b([after])) == [after]
    assert not re.search(rb"\0\0[\0-\2]", after)
    assert Sps.parse(after) == replace(Sps.parse(sps), max_num_reorder_frames=0)


@pytest.mark.parametrize("kind", VARIETY)
def test_rewriting_keeps_all_else_bit_for_bit(kind: str, tmp_path: Path) -> None:
    stream = encoded(*VARIETY[kind])
    sps, *rest = h264.split_annex_b(stream)
    reordering = with_restriction(sps, tmp_path, stream)
    after = h264.without_reordering(reordering)
    fields = trace(h264.annex_b([reordering, *rest]), tmp_path)
    assert fields["max_num_reorder_frames"] == 1
    assert trace(h264.annex_b([after, *rest]), tmp_path) == fields | {"max_num_reorder_frames": 0}
    assert decoded(h264.annex_b([after, *rest])) == decoded(stream)


def with_restriction(sps: bytes, tmp_path: Path, stream: bytes) -> bytes:
    """The set with max_num_reorder_frames = 1 and max_dec_frame_buffering = 2, bit by bit."""
    payload = sps[1:].replace(b"\0\0\3", b"\0\0")
    text = "".join(f"{byte:08b}" for byte in payload).rstrip("0")[:-1]
    fields = trace(stream, tmp_path)
    old = Bits().ue(fields["max_num_reorder_frames"]).ue(fields["max_dec_frame_buffering"]).text
    assert text.endswith(old)
    bits = Bits()
    bits.text = text.removesuffix(old)
    return sps[:1] + bits.ue(1).ue(2).nal()[1:]


@pytest.mark.parametrize("name", VIDEO)
def test_slice_types_are_those_that_ffmpeg_decodes(nut_stream: Bytes, name: str) -> None:
    _, packets = packets_of(nut_stream(name))
    with av.open(io.BytesIO(nut_stream(name)), "r", format="nut") as container:
        shown = sorted((frame.time, int(frame.pict_type)) for frame in container.decode(video=0))
    kinds = {}
    for packet in packets:
        nals = h264.slices(h264.split_annex_b(packet.data))
        (kind,) = {h264.slice_type(nal) for nal in nals}
        kinds[packet.pts] = kind
        assert h264.is_key(nals) == packet.key
        assert any(map(h264.is_b_slice, nals)) == (kind is SliceType.B)
    names = [PictureType(number).name for _, number in shown]
    assert [kind.name for _, kind in sorted(kinds.items())] == names
    assert (SliceType.B in kinds.values()) == (name == "b_frames")


def test_slices_drops_everything_else(nut_stream: Bytes) -> None:
    _, packets = packets_of(nut_stream("delimited"))
    nals = h264.split_annex_b(packets[0].data)
    assert [h264.nal_type(nal) for nal in nals] == [6, 9, 7, 8, 6, 5]
    assert [h264.nal_type(nal) for nal in h264.slices(nals)] == [5]
    assert h264.slices([b"\x0c\xff", b"\x41\x9a", b"\x0a"]) == [b"\x41\x9a"]


@pytest.mark.parametrize("nal", [b"", b"\x67\x42", b"\xe5\x88", b"\x65", b"\x65\0\0\0\0\0\0\0"])
def test_a_unit_without_a_slice_header_is_refused(nal: bytes) -> None:
    with pytest.raises(H264Error):
        h264.slice_type(nal)


def units_of(stream: bytes) -> list[list[bytes]]:
    return [h264.split_annex_b(packet.data) for packet in packets_of(stream)[1]]


@pytest.mark.parametrize("name", VIDEO)
def test_access_units_are_taken_before_the_next_one_begins(nut_stream: Bytes, name: str) -> None:
    splitter = AnnexBSplitter()
    for packet, unit in zip(
        packets_of(nut_stream(name))[1], units_of(nut_stream(name)), strict=True
    ):
        for start in range(0, len(packet.data), 1000):
            splitter.feed(packet.data[start : start + 1000])
        assert splitter.take(1) == [unit]
        assert splitter.pending == 0


@pytest.mark.parametrize("name", VIDEO)
@pytest.mark.parametrize("beyond", [1, 2, 3, 4, 5, 6, 7, 9, 40])
def test_the_beginning_of_the_next_unit_stays(nut_stream: Bytes, name: str, beyond: int) -> None:
    packets, units = packets_of(nut_stream(name))[1][:16], units_of(nut_stream(name))
    splitter = AnnexBSplitter()
    for index, (packet, following) in enumerate(pairwise(packets)):
        splitter.feed(packet.data[beyond:] if index else packet.data)
        splitter.feed(following.data[:beyond])
        assert splitter.take(1) == [units[index]]


@pytest.mark.parametrize("name", VIDEO)
def test_several_buffered_units_come_apart(nut_stream: Bytes, name: str) -> None:
    packets, units = packets_of(nut_stream(name))[1], units_of(nut_stream(name))
    splitter = AnnexBSplitter()
    splitter.feed(b"".join(packet.data for packet in packets))
    assert splitter.take(0) == []
    assert splitter.take(3) == units[:3]
    assert splitter.take(len(units) - 3) == units[3:]
    assert splitter.pending == 0


def test_more_units_than_are_here_are_refused_and_nothing_is_lost(nut_stream: Bytes) -> None:
    packets, units = packets_of(nut_stream("baseline"))[1], units_of(nut_stream("baseline"))
    splitter = AnnexBSplitter()
    splitter.feed(packets[0].data)
    with pytest.raises(H264Error, match="2 access units should be here, and 1 are"):
        splitter.take(2)
    splitter.feed(packets[1].data)
    assert splitter.take(2) == units[:2]


def test_a_stream_that_nobody_takes_is_refused() -> None:
    splitter = AnnexBSplitter(limit=1000)
    splitter.feed(b"\0\0\1\x65" + bytes(900))
    assert splitter.pending == 904
    with pytest.raises(H264Error, match="more than 1000 bytes"):
        splitter.feed(bytes(100))


def test_bytes_before_the_first_start_code_are_refused() -> None:
    splitter = AnnexBSplitter()
    splitter.feed(b"garbage\0\0\1\x65\x88")
    with pytest.raises(H264Error, match="no start code"):
        splitter.take(1)


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_garbage_raises_only_h264_errors(garbage: bytes) -> None:
    for read in (
        Sps.parse,
        h264.without_reordering,
        h264.slice_type,
        h264.is_b_slice,
        h264.split_annex_b,
        h264.split_length_prefixed,
    ):
        for data in (garbage, b"\x67" + garbage, b"\x67\x64\0\x1f" + garbage, b"\x41" + garbage):
            expect_h264_error_only(read, data)


@settings(max_examples=300)
@given(st.data())
def test_damaged_parameter_sets_raise_only_h264_errors(
    nut_stream: Bytes, data: st.DataObject
) -> None:
    sps = bytearray(parameter_sets(nut_stream(data.draw(st.sampled_from(VIDEO[:3]))))[0])
    for _ in range(data.draw(st.integers(1, 3))):
        sps[data.draw(st.integers(0, len(sps) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(sps)))
    expect_h264_error_only(Sps.parse, bytes(sps[:cut]))
    expect_h264_error_only(h264.without_reordering, bytes(sps))


@settings(max_examples=200)
@given(st.lists(st.sampled_from([b"\0", b"\1", b"\x65\x88", b"\x41\x9a", b"\x67", b"\x09\xf0"])))
def test_the_splitter_raises_only_h264_errors(pieces: list[bytes]) -> None:
    splitter = AnnexBSplitter()
    for piece in pieces:
        splitter.feed(piece)
        try:
            units = splitter.take(1)
        except H264Error:
            continue
        assert any(h264.slices(unit) for unit in units)


def expect_h264_error_only(read: Callable[[bytes], object], data: bytes) -> None:
    try:
        result = read(data)
    except H264Error as error:
        assert str(error)
    else:
        assert result is not None
