"""Whether foreign H.264 may go out as it is: browsers show it, in order, and keys come often."""

from media.h264 import (
    H264Error,
    ParameterSets,
    Pps,
    Sps,
    display_orientation,
    is_b_slice,
    is_key,
    nal_type,
    slices,
)

LONGEST = 10.0
"""Seconds between key frames above which nobody can be expected to wait for a picture."""

_SPS, _PPS, _SEI = 7, 8, 6
_PROFILES = frozenset((66, 77, 100))
_HIGHEST_LEVEL = 52


class Refusal(Exception):
    """Why the stream has to be encoded again."""


class Proof:
    """Looks at every access unit of a stream. limit: width and height at most; None = any.

    The order of display is proven by the parameter set alone where that says enough, else by two
    key frames with no B slice between them; a B slice later takes the proof back.
    """

    def __init__(self, limit: tuple[int, int] | None = None) -> None:
        self.proven = False
        self._limit = limit
        self._in_order = False
        self._first: float | None = None
        self._key: float | None = None
        self._sets = ParameterSets()
        self._carried: frozenset[bytes] = frozenset()
        self._new = False

    def look(self, nals: list[bytes], now: float) -> None:
        """Judge the next unit (now: seconds of any clock that does not leap).

        Refusal when the stream cannot be copied, H264Error when this unit is damaged.
        """
        if self._first is None:
            self._first = now
        self._take_sets(nals)
        key = is_key(nals)
        if key:
            self._look_at_key(nals)
        self._look_at_slices(nals)
        if key and (self._key is not None or self._in_order):
            self.proven = True
        if now - (self._first if self._key is None else self._key) > LONGEST:
            raise Refusal(f"its key frames are more than {LONGEST:g} s apart")
        if key:
            self._key = now

    def _take_sets(self, nals: list[bytes]) -> None:
        sets = [nal for nal in nals if nal_type(nal) in (_SPS, _PPS)]
        self._sets.take(sets)
        self._new = self._new or not self._carried.issuperset(sets)

    def _look_at_key(self, nals: list[bytes]) -> None:
        found = self._sets.of(nals)
        if found is None:
            raise H264Error("a key frame comes without its parameter sets")
        sps, pps = found
        self._carried, self._new = frozenset((*sps, *pps)), False
        about = Sps.parse(sps[0])
        self._look_at_set(about)
        if Pps.parse(pps[0]).slice_groups > 1:
            raise Refusal("browsers do not show slice groups")
        if any(display_orientation(nal) for nal in nals if nal_type(nal) == _SEI):
            raise Refusal("its picture has to be turned")
        self._in_order = about.never_reorders

    def _look_at_slices(self, nals: list[bytes]) -> None:
        found = slices(nals)
        if any(nal_type(nal) in (2, 3, 4) for nal in found):
            raise Refusal("browsers do not show data partitioning")
        if not self._in_order and any(is_b_slice(nal) for nal in found if nal_type(nal) == 1):
            raise Refusal("it has B-frames")
        if self._new and self._carried and found:
            used = self._sets.used_by(found)
            if used and not self._carried.issuperset(used):
                raise Refusal("its parameter sets change between key frames")

    def _look_at_set(self, about: Sps) -> None:
        if about.chroma_format_idc != 1 or (about.bit_depth_luma, about.bit_depth_chroma) != (8, 8):
            raise Refusal("browsers show only 4:2:0 in 8 bits")
        if about.profile_idc not in _PROFILES:
            raise Refusal("browsers show only baseline, main and high profile")
        if about.level_idc > _HIGHEST_LEVEL:
            raise Refusal(f"browsers show only levels up to {_HIGHEST_LEVEL / 10}")
        if about.interlaced:
            raise Refusal("its pictures are interlaced")
        width, height = self._limit or (about.width, about.height)
        if about.width > width or about.height > height:
            raise Refusal(f"its {about.width}x{about.height} pixels are more than {width}x{height}")
        if abs(about.pixel_shape - 1) > 0.01:
            raise Refusal("its pixels are not square")
