"""H.264 byte streams, parameter sets and slice headers, from ITU-T H.264."""

from media.h264.bits import H264Error
from media.h264.nal import (
    SliceType,
    annex_b,
    is_b_slice,
    is_key,
    length_prefixed,
    nal_type,
    parameter_set_id,
    slice_type,
    slices,
    split_annex_b,
    split_length_prefixed,
)
from media.h264.orientation import UPRIGHT, Orientation, display_orientation
from media.h264.parameter_sets import ParameterSets
from media.h264.pps import Pps
from media.h264.splitter import AnnexBSplitter
from media.h264.sps import Sps, without_reordering

__all__ = [
    "UPRIGHT",
    "AnnexBSplitter",
    "H264Error",
    "Orientation",
    "ParameterSets",
    "Pps",
    "SliceType",
    "Sps",
    "annex_b",
    "display_orientation",
    "is_b_slice",
    "is_key",
    "length_prefixed",
    "nal_type",
    "parameter_set_id",
    "slice_type",
    "slices",
    "split_annex_b",
    "split_length_prefixed",
    "without_reordering",
]
