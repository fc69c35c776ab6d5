"""Headers and fragments make files that ffmpeg reads, with every slice as it was."""

import io
import json
import math
import struct
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from media import cmaf, h264
from media.cmaf import CmafError, FragmentHeader, Init
from media.nut import NutReader, Packet, Stream

Bytes = Callable[[str], bytes]
BASE = 90_000 * 1_000_000  # eleven days after boot: beyond 32 bits
CAPTURE = 1_800_000_000.123456


def stream_of(stream: bytes) -> tuple[Stream, list[Packet]]:
    reader = NutReader()
    packets = reader.feed(stream)
    return reader.streams[0], packets


def video_header(extradata: bytes) -> bytes:
    nals = {h264.nal_type(nal): nal for nal in h264.split_annex_b(extradata)}
    return cmaf.video_init(nals[7], nals[8])


def video_fragments(packets: list[Packet]) -> list[bytes]:
    fragments = []
    for seq, packet in enumerate(packets):
        data = h264.length_prefixed(h264.slices(h264.split_annex_b(packet.data)))
        tfdt = BASE + round(packet.pts * 90_000)
        fragments.append(cmaf.fragment(1, seq, tfdt, 3000, CAPTURE + seq / 30, data, packet.key))
    return fragments


def probe(data: bytes, tmp_path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    path = tmp_path / "track.mp4"
    path.write_bytes(data)
    show = ("-show_streams", "-show_packets", "-of", "json", str(path))
    done = subprocess.run(("ffprobe", "-v", "warning", *show), check=True, capture_output=True)
    assert done.stderr == b""
    found = json.loads(done.stdout)
    return found["streams"][0], found["packets"]


@pytest.mark.parametrize("name", ["baseline", "main", "delimited", "sliced"])
def test_video_is_a_file_that_ffprobe_reads(nut_stream: Bytes, tmp_path: Path, name: str) -> None:
    stream, packets = stream_of(nut_stream(name))
    whole = video_header(stream.extradata) + b"".join(video_fragments(packets))
    about, probed = probe(whole, tmp_path)
    assert (about["codec_name"], about["width"], about["height"]) == ("h264", 320, 240)
    assert about["time_base"] == "1/90000"
    assert len(probed) == len(packets)
    for packet, found in zip(packets, probed, strict=True):
        assert int(found["pts"]) == int(found["dts"]) == BASE + round(packet.pts * 90_000)
        assert int(found["duration"]) == 3000
        assert ("K" in found["flags"]) == packet.key


@pytest.mark.parametrize("name", ["baseline", "main", "delimited", "sliced"])
def test_slices_come_out_of_the_file_bit_for_bit(nut_stream: Bytes, name: str) -> None:
    stream, packets = stream_of(nut_stream(name))
    whole = video_header(stream.extradata) + b"".join(video_fragments(packets))
    with av.open(io.BytesIO(whole), "r") as container:
        samples = [bytes(packet) for packet in container.demux(video=0) if packet.size]
        container.seek(0)
        pictures = sum(1 for _ in container.decode(video=0))
    slices = [h264.slices(h264.split_annex_b(packet.data)) for packet in packets]
    assert [h264.split_length_prefixed(sample) for sample in samples] == slices
    assert pictures == len(packets)


def test_a_file_decodes_without_an_error(nut_stream: Bytes, tmp_path: Path) -> None:
    stream, packets = stream_of(nut_stream("baseline"))
    path = tmp_path / "track.mp4"
    path.write_bytes(video_header(stream.extradata) + b"".join(video_fragments(packets)))
    command = ("ffmpeg", "-v", "warning", "-nostdin", "-err_detect", "explode", "-xerror")
    done = subprocess.run(
        (*command, "-i", str(path), "-f", "null", "-"), check=True, capture_output=True
    )
    assert done.stderr == b""


def test_opus_is_a_file_that_ffmpeg_decodes(nut_stream: Bytes, tmp_path: Path) -> None:
    _, packets = stream_of(nut_stream("opus"))
    fragments = [
        cmaf.fragment(2, n, 960 * n, 960, CAPTURE, packet.data, True)
        for n, packet in enumerate(packets)
    ]
    whole = cmaf.opus_init() + b"".join(fragments)
    about, probed = probe(whole, tmp_path)
    assert (about["codec_name"], about["sample_rate"], about["channels"]) == ("opus", "48000", 1)
    assert [int(found["pts"]) for found in probed] == [960 * n for n in range(len(packets))]
    with av.open(io.BytesIO(whole), "r") as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert 960 * len(packets) - 312 <= samples <= 960 * len(packets)


def test_opus_carries_the_header_of_its_encoder(nut_stream: Bytes) -> None:
    stream, _ = stream_of(nut_stream("opus"))
    channels, pre_skip, rate = struct.unpack_from("<BHI", stream.extradata, 9)
    with av.open(io.BytesIO(cmaf.opus_init(channels, pre_skip, rate)), "r") as container:
        assert container.streams.audio[0].codec_context.extradata == stream.extradata


def test_aac_is_a_file_that_ffmpeg_decodes(nut_stream: Bytes, tmp_path: Path) -> None:
    stream, packets = stream_of(nut_stream("aac"))
    fragments = [
        cmaf.fragment(3, n, 1024 * n, 1024, CAPTURE, packet.data, True)
        for n, packet in enumerate(packets)
    ]
    header = cmaf.aac_init(stream.extradata, stream.sample_rate, stream.channels)
    whole = header + b"".join(fragments)
    about, probed = probe(whole, tmp_path)
    assert (about["codec_name"], about["profile"], about["channels"]) == ("aac", "LC", 2)
    assert len(probed) == len(packets)
    with av.open(io.BytesIO(whole), "r") as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) == 1024 * len(packets)
    init = Init.parse(header)
    assert (init.track, init.track_id, init.codecs) == ("audio", 3, "mp4a.40.2")
    assert (init.timescale, init.sample_rate, init.channels) == (48000, 48000, 2)


@pytest.mark.parametrize("name", ["baseline", "main", "b_frames"])
def test_a_video_header_reads_back(nut_stream: Bytes, name: str) -> None:
    stream, _ = stream_of(nut_stream(name))
    nals = {h264.nal_type(nal): nal for nal in h264.split_annex_b(stream.extradata)}
    init = Init.parse(cmaf.video_init(nals[7], nals[8]))
    assert (init.track, init.track_id, init.timescale) == ("video", 1, 90_000)
    assert (init.width, init.height, init.sps, init.pps) == (320, 240, nals[7], nals[8])
    assert init.codecs == h264.Sps.parse(nals[7]).codec


def test_the_header_of_ffmpegs_own_muxer_reads_too(nut_stream: Bytes, tmp_path: Path) -> None:
    stream, _ = stream_of(nut_stream("b_frames"))
    path = tmp_path / "other.mp4"
    options = ("-c", "copy", "-movflags", "empty_moov+default_base_moof", str(path))
    command = ("ffmpeg", "-v", "error", "-f", "nut", "-i", "-", *options)
    subprocess.run(command, input=nut_stream("b_frames"), check=True)
    init = Init.parse(path.read_bytes())
    assert init.sps in h264.split_annex_b(stream.extradata)
    assert (init.codecs, init.width, init.height) == ("avc1.64000D", 320, 240)


def test_an_opus_header_reads_back() -> None:
    init = Init.parse(cmaf.opus_init(channels=2))
    assert (init.track, init.track_id, init.codecs) == ("audio", 2, "opus")
    assert (init.timescale, init.sample_rate, init.channels) == (48_000, 48_000, 2)


def test_a_header_says_nothing_of_a_length(nut_stream: Bytes) -> None:
    stream, _ = stream_of(nut_stream("baseline"))
    header = video_header(stream.extradata)
    assert b"mehd" not in header
    assert b"mvex" in header
    assert struct.unpack_from(">I", header, header.index(b"mvhd") + 20) == (0,)
    assert struct.unpack_from(">I", header, header.index(b"mdhd") + 20) == (0,)
    assert struct.unpack_from(">I", header, header.index(b"tkhd") + 24) == (0,)


def test_headers_of_what_cannot_be_are_refused(nut_stream: Bytes) -> None:
    stream, _ = stream_of(nut_stream("baseline"))
    sps = h264.split_annex_b(stream.extradata)[0]
    with pytest.raises(h264.H264Error):
        cmaf.video_init(b"\x68\xce", b"\x68\xce")
    for pps in (b"", sps, b"\x68" + bytes(65536)):
        with pytest.raises(CmafError):
            cmaf.video_init(sps, pps)
    with pytest.raises(CmafError):
        cmaf.opus_init(channels=6)
    with pytest.raises(CmafError):
        cmaf.opus_init(pre_skip=-1)
    for config, rate, channels in ((b"", 48000, 2), (b"\x11\x90", 96000, 2), (b"\x11\x90", 1, 0)):
        with pytest.raises(CmafError):
            cmaf.aac_init(config, rate, channels)


@given(
    st.integers(1, 2**32 - 1),
    st.integers(0, 2**40),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**32 - 1),
    st.floats(0, 4_200_000_000),
    st.binary(max_size=50),
    st.booleans(),
)
@example(1, 2**32, 0, 0, 2_085_978_496.5, b"", True)  # NTP's era ends in February 2036
def test_a_fragment_reads_back(
    track: int, seq: int, tfdt: int, duration: int, capture: float, data: bytes, key: bool
) -> None:
    whole = cmaf.fragment(track, seq, tfdt, duration, capture, data, key)
    header = FragmentHeader.parse(whole)
    assert header.capture == pytest.approx(capture, abs=1e-6)
    expected = (track, seq % 2**32, tfdt, duration, key)
    assert (header.track_id, header.seq, header.tfdt, header.duration, header.key) == expected
    assert whole[header.offset :] == data


def test_boxes_stand_where_consumers_look_for_them() -> None:
    whole = cmaf.fragment(1, 7, 8, 9, CAPTURE, b"data", False)
    kinds = {4: b"prft", 36: b"moof", 44: b"mfhd", 60: b"traf", 68: b"tfhd", 84: b"tfdt"}
    for offset, kind in {**kinds, 104: b"trun", 136: b"mdat"}.items():
        assert whole[offset : offset + 4] == kind
    assert whole[8:12] == b"\1\0\0\x18"
    ntp, media_time = struct.unpack_from(">QQ", whole, 16)
    assert ntp / 2**32 - 2_208_988_800 == pytest.approx(CAPTURE, abs=1e-6)
    assert media_time == 8
    assert struct.unpack_from(">I", whole, 48 + 4) == (7,)
    assert whole[140:] == b"data"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("track_id", -1),
        ("tfdt", -1),
        ("tfdt", 1 << 64),
        ("duration", 1 << 32),
        ("capture", math.nan),
        ("capture", math.inf),
    ],
)
def test_values_that_do_not_fit_are_refused(field: str, value: float) -> None:
    values: dict[str, Any] = {"track_id": 1, "seq": 1, "tfdt": 1, "duration": 1, "capture": CAPTURE}
    with pytest.raises(CmafError, match="cannot hold"):
        cmaf.fragment(**{**values, field: value}, data=b"", key=True)


@settings(max_examples=300)
@given(st.binary(max_size=300))
def test_garbage_is_no_fragment_and_no_header(garbage: bytes) -> None:
    with pytest.raises(CmafError):
        FragmentHeader.parse(garbage)
    with pytest.raises(CmafError):
        Init.parse(garbage)
    with pytest.raises(CmafError):
        Init.parse(cmaf.opus_init()[:24] + garbage)


@settings(max_examples=500)
@given(st.data())
def test_a_damaged_fragment_reads_otherwise_or_is_refused(data: st.DataObject) -> None:
    whole = cmaf.fragment(1, 7, 8, 9, CAPTURE, b"data", False)
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        header = FragmentHeader.parse(bytes(damaged))
    except CmafError:
        return
    # What passes is a fragment in every bit, with other values.
    rest = (header.capture, bytes(damaged[header.offset :]), header.key)
    again = cmaf.fragment(header.track_id, header.seq, header.tfdt, header.duration, *rest)
    assert again[:16] + again[24:] == damaged[:16] + damaged[24:]


PRFT, MOOF, TRAF, TFDT, TRUN = (
    range(16),
    range(32, 52),
    range(56, 80),
    range(80, 92),
    range(100, 120),
)


@pytest.mark.parametrize(
    "place", [*PRFT, *range(24, 32), *MOOF, *TRAF, *TFDT, *TRUN, *range(124, 140)]
)
def test_any_other_layout_is_refused(place: int) -> None:
    damaged = bytearray(cmaf.fragment(1, 7, 8, 9, CAPTURE, b"data", False))
    damaged[place] ^= 1
    with pytest.raises(CmafError):
        FragmentHeader.parse(bytes(damaged))


def test_a_cut_or_lengthened_fragment_is_refused() -> None:
    whole = cmaf.fragment(1, 7, 8, 9, CAPTURE, b"data", False)
    for size in range(len(whole)):
        with pytest.raises(CmafError):
            FragmentHeader.parse(whole[:size])
    with pytest.raises(CmafError):
        FragmentHeader.parse(whole + b"x")


@settings(max_examples=500)
@given(st.data())
def test_damaged_headers_raise_only_cmaf_errors(nut_stream: Bytes, data: st.DataObject) -> None:
    video = video_header(stream_of(nut_stream("b_frames"))[0].extradata)
    headers = [video, cmaf.opus_init(), cmaf.aac_init(b"\x11\x90", 48000, 2)]
    damaged = bytearray(data.draw(st.sampled_from(headers)))
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(damaged)))
    for changed in (bytes(damaged), bytes(damaged[:cut])):
        try:
            init = Init.parse(changed)
        except CmafError as error:
            assert str(error)
        else:
            assert init.timescale > 0


def test_sequence_numbers_follow_each_other_round_32_bits() -> None:
    assert all(
        cmaf.seq_follows(n % 2**32, m % 2**32) for n, m in pairwise(range(2**32 - 2, 2**32 + 2))
    )
    assert not cmaf.seq_follows(5, 5)
    assert not cmaf.seq_follows(5, 7)
    assert not cmaf.seq_follows(5, 4)
