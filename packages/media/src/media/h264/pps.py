"""Picture parameter sets: H.264 §7.3.2.2, as far as they have to be told apart."""

from dataclasses import dataclass

from media.h264.bits import BitReader, H264Error, unescape
from media.h264.nal import nal_type

_PPS = 8
_LAST_ID = 255
_LAST_SPS_ID = 31
_HEAD = 16
"""Bytes in which two Exp-Golomb codes, two flags and a third code stand."""


@dataclass(frozen=True, slots=True)
class Pps:
    """id: pic_parameter_set_id. sps: seq_parameter_set_id. slice_groups: 1 but for FMO (§8.2.2)."""

    id: int
    sps: int
    slice_groups: int

    @classmethod
    def parse(cls, nal: bytes) -> "Pps":
        """Read a NAL unit of type 8. H264Error when it is none or makes no sense."""
        if nal_type(nal) != _PPS:
            raise H264Error(f"a NAL unit of type {nal_type(nal)} is no picture parameter set")
        bits = BitReader(unescape(nal[1 : 1 + _HEAD]))
        number, sps = bits.unsigned(), bits.unsigned()
        if number > _LAST_ID or sps > _LAST_SPS_ID:
            raise H264Error(f"pic_parameter_set_id {number} of set {sps} does not exist")
        bits.fixed(2)
        return cls(number, sps, bits.unsigned() + 1)
