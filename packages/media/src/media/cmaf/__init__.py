"""CMAF tracks: headers and one-frame fragments, written and read.

From ISO/IEC 14496-12 (boxes), 14496-15 (H.264), 14496-3 (AAC), 23000-19 (CMAF), RFC 6381 (`codecs`)
and the specification of Opus in ISOBMFF.
"""

from media.cmaf.boxes import CmafError
from media.cmaf.fragment import FragmentHeader, fragment, seq_follows, with_duration
from media.cmaf.header import (
    AAC_TRACK,
    AUDIO_TRACK,
    VIDEO_TRACK,
    aac_init,
    opus_init,
    video_init,
)
from media.cmaf.track import Init

__all__ = [
    "AAC_TRACK",
    "AUDIO_TRACK",
    "VIDEO_TRACK",
    "CmafError",
    "FragmentHeader",
    "Init",
    "aac_init",
    "fragment",
    "opus_init",
    "seq_follows",
    "video_init",
    "with_duration",
]
