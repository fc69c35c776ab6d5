"""What a CMAF header says of its track."""

import struct
from dataclasses import dataclass
from typing import Literal

from media.cmaf.boxes import CmafError, child, children, unpack
from media.h264 import H264Error, Sps

_VISUAL_ENTRY = 78
_SOUND_ENTRY = 28
_NUMBER = struct.Struct(">I")
_SOUND = struct.Struct(">H6xH")


@dataclass(frozen=True, slots=True)
class Init:
    """One track, as its header describes it.

    codecs: RFC 6381. timescale: ticks a second. Of a video track width and height (pixels), the
    first SPS and PPS, and all parameter sets in the order of avcC (NAL units); of an audio track
    channels and sample_rate (Hz); the others are zero and empty.
    """

    track: Literal["video", "audio"]
    track_id: int
    codecs: str
    timescale: int
    width: int = 0
    height: int = 0
    sps: bytes = b""
    pps: bytes = b""
    parameter_sets: tuple[bytes, ...] = ()
    channels: int = 0
    sample_rate: int = 0

    @classmethod
    def parse(cls, data: bytes) -> "Init":
        """Read `ftyp` and `moov`: of the first track, H.264 (avc1), Opus or AAC.

        Raises CmafError for anything else.
        """
        data = bytes(data)
        if data[4:8] != b"ftyp":
            raise CmafError("a CMAF header begins with an ftyp box")
        track = child(child(data, b"moov"), b"trak")
        track_id = unpack(_NUMBER, *_versioned(child(track, b"tkhd"), 12), "tkhd")[0]
        media = child(track, b"mdia")
        timescale = unpack(_NUMBER, *_versioned(child(media, b"mdhd"), 12), "mdhd")[0]
        if not timescale:
            raise CmafError("the timescale is zero")
        entries = children(child(child(child(media, b"minf"), b"stbl"), b"stsd"), 8)
        if not entries:
            raise CmafError("the track has no sample entry")
        kind, entry = entries[0]
        if kind == b"avc1":
            return _video(track_id, timescale, entry)
        return _audio(track_id, timescale, kind, entry)


def _versioned(body: bytes, offset: int) -> tuple[bytes, int]:
    """A field behind two times, which have 32 bits in version 0 and 64 bits in version 1."""
    return body, offset + 8 if body[:1] == b"\1" else offset


def _video(track_id: int, timescale: int, entry: bytes) -> Init:
    record = child(entry, b"avcC", _VISUAL_ENTRY)
    sps, position = _parameter_sets(record, 5, 0x1F)
    pps, _ = _parameter_sets(record, position, 0xFF)
    try:
        about = Sps.parse(sps[0])
    except H264Error as error:
        raise CmafError(f"the parameter set of the track: {error}") from error
    size = (about.width, about.height)
    return Init(*("video", track_id, about.codec, timescale, *size, sps[0], pps[0]), (*sps, *pps))


def _parameter_sets(record: bytes, position: int, mask: int) -> tuple[list[bytes], int]:
    """The sets of one kind at a place of avcC (a count, lengths of 16 bits), and their end."""
    count = record[position] & mask if position < len(record) else 0
    position += 1
    sets = []
    for _ in range(count):
        start = position + 2
        position = start + int.from_bytes(record[position:start], "big")
        if not start < position <= len(record):
            raise CmafError("a parameter set does not fit into avcC")
        sets.append(record[start:position])
    if not sets:
        raise CmafError("avcC does not hold parameter sets of both kinds")
    return sets, position


def _audio(track_id: int, timescale: int, kind: bytes, entry: bytes) -> Init:
    channels, rate = unpack(_SOUND, entry, 16, "sample entry")
    if kind == b"Opus":
        child(entry, b"dOps", _SOUND_ENTRY)
        codecs = "opus"
    elif kind == b"mp4a":
        codecs = f"mp4a.40.{_object_type(child(entry, b'esds', _SOUND_ENTRY))}"
    else:
        raise CmafError(f"{kind!r} is neither H.264, Opus nor AAC")
    return Init("audio", track_id, codecs, timescale, channels=channels, sample_rate=rate)


def _object_type(esds: bytes) -> int:
    """audioObjectType: the first bits of AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1)."""
    stream = _descriptor(esds[4:], 3)
    decoder = _descriptor(stream[3:], 4)
    config = _descriptor(decoder[13:], 5)
    if len(config) < 2:
        raise CmafError("AudioSpecificConfig is too short")
    kind = config[0] >> 3
    return 32 + (int.from_bytes(config[:2], "big") >> 5 & 0x3F) if kind == 31 else kind


def _descriptor(data: bytes, tag: int) -> bytes:
    """The body of the descriptor at the start of `data`, whose length has 7 bits a byte."""
    if data[:1] != bytes((tag,)):
        raise CmafError(f"esds has no descriptor {tag}")
    length = 0
    for position, byte in enumerate(data[1:5], 2):
        length = length << 7 | byte & 0x7F
        if byte < 0x80:
            return data[position : position + length]
    raise CmafError(f"the length of descriptor {tag} has no end")
