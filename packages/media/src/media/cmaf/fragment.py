"""One sample as a fragment: `prft`, `moof` and `mdat` in a layout that never varies.

So whoever passes it on reads what it needs at fixed places. In bytes: prft at 0, moof at 32 (mfhd
40, traf 56, tfhd 64, tfdt 80, trun 100), mdat at 132, the sample from 140 to the end.
"""

import struct
from dataclasses import dataclass

from media.cmaf.boxes import CmafError

# ISO/IEC 14496-12 §8.16.5: the NTP time is that of the capture (of a live source), not of encoding.
_CAPTURED = 24
_NTP_UNIX = 2_208_988_800
"""Seconds from 1900 to 1970: RFC 5905."""
_ERA = 1 << 32
_KEY = 0x0200_0000
"""sample_depends_on = 2 (on none), a sync sample."""
_DELTA = 0x0101_0000
"""sample_depends_on = 1 (on others), not a sync sample."""
_OFFSET = 140
_DURATION = 120
"""Where the sample's duration stands in `trun`."""

_FLAGS = (_KEY, _DELTA)
_ERA_TURNS = 1 << 63
"""An NTP time below this lies in the era that begins in 2036: RFC 4330 §3."""

_LAYOUT = struct.Struct(">12sIQQ20sI20sI12sQ20sIIII4s")
_unpack = _LAYOUT.unpack_from
_PRFT = struct.pack(">I4sI", 32, b"prft", 1 << 24 | _CAPTURED)
_MFHD = struct.pack(">I4sI4sI", 100, b"moof", 16, b"mfhd", 0)
_TFHD = struct.pack(">I4sI4sI", 76, b"traf", 16, b"tfhd", 0x02_0000)
_TFDT = struct.pack(">I4sI", 20, b"tfdt", 1 << 24)
_TRUN = struct.pack(">I4sIIi", 32, b"trun", 0x00_0701, 1, _OFFSET - 32)


def fragment(
    track_id: int, seq: int, tfdt: int, duration: int, capture: float, data: bytes, key: bool
) -> bytes:
    """One sample as a CMAF chunk.

    seq: any count of fragments; it is kept modulo 2**32 (see seq_follows). tfdt, duration: ticks of
    the track. capture: Unix seconds. data: for H.264 NAL units with lengths of four bytes.
    Raises CmafError for a value that does not fit its field.
    """
    size = len(data)
    try:
        ntp = round((capture + _NTP_UNIX) * _ERA) % (1 << 64)
        flags = _KEY if key else _DELTA
        head = _LAYOUT.pack(
            *(_PRFT, track_id, ntp, tfdt, _MFHD, seq % _ERA, _TFHD, track_id, _TFDT, tfdt),
            *(_TRUN, duration, size, flags, size + 8, b"mdat"),
        )
    except (struct.error, OverflowError, ValueError) as error:
        raise CmafError(f"a fragment cannot hold that: {error}") from error
    return head + data


def with_duration(data: bytes, duration: int) -> bytes:
    """The same fragment, lasting `duration` (ticks), as the next one's tfdt has shown."""
    return data[:_DURATION] + struct.pack(">I", duration) + data[_DURATION + 4 :]


def seq_follows(previous: int, current: int) -> bool:
    """Whether nothing is missing between two fragments.

    mfhd's sequence number has 32 bits: behind 4 294 967 295 (four and a half years at 30 frames a
    second) comes 0.
    """
    return current == (previous + 1) % _ERA


@dataclass(frozen=True, slots=True)
class FragmentHeader:
    """What stands before the sample of a fragment.

    tfdt and duration in ticks of the track, capture in Unix seconds (1968 to 2104), offset: where
    the sample begins, which ends with the fragment.
    """

    track_id: int
    seq: int
    tfdt: int
    duration: int
    capture: float
    key: bool
    offset: int

    @classmethod
    def parse(cls, data: bytes) -> "FragmentHeader":
        """Read what `fragment` wrote; CmafError for anything that differs from it."""
        if len(data) < _OFFSET:
            raise CmafError(f"{len(data)} bytes are no fragment")
        prft, reference, ntp, time, mfhd, seq, tfhd, track, base, tfdt, *rest = _unpack(data)
        trun, duration, size, flags, mdat_size, mdat = rest
        if prft != _PRFT or mfhd != _MFHD or tfhd != _TFHD or base != _TFDT or trun != _TRUN:
            raise CmafError("the boxes of a fragment are not prft, moof, mfhd, traf, tfhd …")
        if mdat != b"mdat" or mdat_size != size + 8 or size + _OFFSET != len(data):
            raise CmafError("the sizes of the sample, of mdat and of the fragment disagree")
        if reference != track or time != tfdt or flags not in _FLAGS:
            raise CmafError("prft and traf disagree, or the sample flags are unknown")
        if ntp < _ERA_TURNS:
            ntp += 1 << 64
        return cls(track, seq, tfdt, duration, ntp / _ERA - _NTP_UNIX, flags == _KEY, _OFFSET)
