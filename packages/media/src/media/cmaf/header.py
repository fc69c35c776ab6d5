"""CMAF headers (`ftyp` and `moov`) of the station's tracks.

All durations are zero and there is no `mehd`: the length is unknown, and by that Chromium's Media
Source plays with low delay.
"""

import struct

from media.clock import AUDIO_TIMESCALE, VIDEO_TIMESCALE
from media.cmaf.boxes import CmafError, box, full_box
from media.h264 import Sps
from media.h264.parameter_sets import MOST_PPS, MOST_SPS

VIDEO_TRACK, AUDIO_TRACK, AAC_TRACK = 1, 2, 3

_MATRIX = struct.pack(">9I", 0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000)
_SPS, _PPS = 7, 8
_UNDETERMINED = 0x55C4
"""The language `und` in three times five bits."""
_PROFILES_WITH_DEPTH = (100, 110, 122, 144, 244)


def video_init(sps: bytes, pps: bytes, *others: bytes) -> bytes:
    """The header of an H.264 track with its parameter sets (NAL units).

    sps and pps are those in use, which give the size; others: further sets of either kind. Raises
    H264Error when `sps` is none, CmafError when a set is neither, too long, or one too many.
    """
    about = Sps.parse(sps)
    sets = _sorted_sets([sps, pps, *others])
    visual = struct.pack(">6xH16xHHIII", 1, about.width, about.height, 72 << 16, 72 << 16, 0)
    visual += struct.pack(">H32xHh", 1, 24, -1)
    entry = box(b"avc1", visual, box(b"avcC", _avcc(about, sets)))
    size = (about.width, about.height)
    return _header(VIDEO_TRACK, b"vide", VIDEO_TIMESCALE, entry, size)


def opus_init(channels: int = 1, pre_skip: int = 312, input_rate: int = AUDIO_TIMESCALE) -> bytes:
    """The header of an Opus track.

    pre_skip: samples at 48 kHz that the decoder throws away at its start. input_rate: Hz before
    encoding, for information. Raises CmafError for more than two channels or a value too large.
    """
    if channels not in (1, 2):
        raise CmafError(f"Opus with {channels} channels needs a channel mapping")
    try:
        specific = struct.pack(">BBHIhB", 0, channels, pre_skip, input_rate, 0, 0)
    except struct.error as error:
        raise CmafError(f"dOps cannot hold that: {error}") from error
    entry = _sound(b"Opus", channels, AUDIO_TIMESCALE, box(b"dOps", specific))
    return _header(AUDIO_TRACK, b"soun", AUDIO_TIMESCALE, entry)


def aac_init(config: bytes, rate: int, channels: int) -> bytes:
    """The header of an AAC track, whose timescale is its sample rate.

    config: AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1). rate: Hz. Raises CmafError when one of
    them cannot be.
    """
    if not 2 <= len(config) <= 64 or not 0 < rate < 1 << 16 or not 0 < channels < 9:
        raise CmafError(f"no AAC: {len(config)} bytes, {rate} Hz, {channels} channels")
    decoder = _descriptor(4, struct.pack(">BB3xII", 0x40, 0x15, 0, 0) + _descriptor(5, config))
    stream = _descriptor(3, struct.pack(">HB", AAC_TRACK, 0) + decoder + _descriptor(6, b"\2"))
    entry = _sound(b"mp4a", channels, rate, full_box(b"esds", 0, 0, stream))
    return _header(AAC_TRACK, b"soun", rate, entry)


def _sound(kind: bytes, channels: int, rate: int, specific: bytes) -> bytes:
    """AudioSampleEntry: ISO/IEC 14496-12 §12.2.3."""
    return box(kind, struct.pack(">6xH8xHH4xI", 1, channels, 16, rate << 16), specific)


def _descriptor(tag: int, body: bytes) -> bytes:
    """A descriptor of ISO/IEC 14496-1 §8.3.3 with a length of one byte."""
    return bytes((tag, len(body))) + body


def _sorted_sets(sets: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """The SPS and the PPS of these, in their order."""
    kinds = [nal[0] & 0x9F if nal else 0 for nal in sets]
    if kinds[1] != _PPS or not set(kinds) <= {_SPS, _PPS} or max(map(len, sets)) > 0xFFFF:
        raise CmafError("that is no picture parameter set, or a set is longer than 65535 bytes")
    sps, pps = ([n for n, k in zip(sets, kinds, strict=True) if k == kind] for kind in (_SPS, _PPS))
    if len(sps) > MOST_SPS or len(pps) > MOST_PPS:
        raise CmafError(f"avcC has no room for {len(sps)} and {len(pps)} parameter sets")
    return sps, pps


def _avcc(about: Sps, sets: tuple[list[bytes], list[bytes]]) -> bytes:
    """AVCDecoderConfigurationRecord: ISO/IEC 14496-15 §5.3.3.1, lengths of four bytes."""
    profile = (about.profile_idc, about.constraints, about.level_idc)
    record = struct.pack(">5B", 1, *profile, 0xFF)
    for reserved, kind in zip((0xE0, 0), sets, strict=True):
        record += bytes((reserved | len(kind),))
        record += b"".join(struct.pack(">H", len(nal)) + nal for nal in kind)
    if about.profile_idc in _PROFILES_WITH_DEPTH:
        depths = (about.bit_depth_luma - 8, about.bit_depth_chroma - 8)
        record += bytes((0xFC | about.chroma_format_idc, 0xF8 | depths[0], 0xF8 | depths[1], 0))
    return record


def _header(
    track: int, handler: bytes, timescale: int, entry: bytes, size: tuple[int, int] = (0, 0)
) -> bytes:
    brands = struct.pack(">4sI4s4s4s", b"cmfc", 0, b"cmfc", b"iso6", b"mp41")
    times = struct.pack(">4I", 0, 0, timescale, 0)
    mvhd = times + struct.pack(">IH10x", 0x1_0000, 0x100) + _MATRIX
    mvhd += struct.pack(">24xI", track + 1)
    defaults = struct.pack(">5I", track, 1, 0, 0, 0)
    return box(b"ftyp", brands) + box(
        b"moov",
        full_box(b"mvhd", 0, 0, mvhd),
        box(b"trak", _tkhd(track, size), _mdia(handler, times, entry)),
        box(b"mvex", full_box(b"trex", 0, 0, defaults)),
    )


def _tkhd(track: int, size: tuple[int, int]) -> bytes:
    """Enabled, in the movie and in its preview; width and height in 16.16 pixels."""
    volume = 0 if size[0] else 0x100
    body = struct.pack(">2II4xI8x2hH2x", 0, 0, track, 0, 0, 0, volume) + _MATRIX
    return full_box(b"tkhd", 0, 7, body, struct.pack(">2I", size[0] << 16, size[1] << 16))


def _mdia(handler: bytes, times: bytes, entry: bytes) -> bytes:
    if handler == b"vide":
        media_header = full_box(b"vmhd", 0, 1, bytes(8))
    else:
        media_header = full_box(b"smhd", 0, 0, bytes(4))
    reference = full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1))
    return box(
        b"mdia",
        full_box(b"mdhd", 0, 0, times, struct.pack(">HH", _UNDETERMINED, 0)),
        full_box(b"hdlr", 0, 0, struct.pack(">I4s12xx", 0, handler)),
        box(b"minf", media_header, box(b"dinf", reference), _empty_samples(entry)),
    )


def _empty_samples(entry: bytes) -> bytes:
    """The sample table of a track whose samples are all in fragments."""
    return box(
        b"stbl",
        full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry),
        full_box(b"stts", 0, 0, bytes(4)),
        full_box(b"stsc", 0, 0, bytes(4)),
        full_box(b"stsz", 0, 0, bytes(8)),
        full_box(b"stco", 0, 0, bytes(4)),
    )
