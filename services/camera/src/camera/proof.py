"""Whether foreign H.264 may go out as it is: no frame is reordered, and keys come often enough."""

from media.h264 import H264Error, Sps, is_b_slice, is_key, nal_type

LONGEST = 10.0
"""Seconds between key frames above which nobody can be expected to wait for a picture."""


class Refusal(Exception):
    """Why the stream has to be encoded again."""


class Proof:
    """Looks at every access unit of a stream.

    The order of display is proven by the parameter set alone where that says enough, else by two
    key frames with no B slice between them; a B slice later takes the proof back.
    """

    def __init__(self) -> None:
        self.proven = False
        self._in_order = False
        self._first: float | None = None
        self._key: float | None = None

    def look(self, nals: list[bytes], pts: float) -> None:
        """Judge the next unit (pts: seconds); Refusal when the stream cannot be copied."""
        if self._first is None:
            self._first = pts
        try:
            self._look_at_slices(nals)
        except H264Error as error:
            raise Refusal(f"its H.264 is broken ({error})") from error
        key = is_key(nals)
        if key and (self._key is not None or self._in_order):
            self.proven = True
        if pts - (self._first if self._key is None else self._key) > LONGEST:
            raise Refusal(f"its key frames are more than {LONGEST:g} s apart")
        if key:
            self._key = pts

    def _look_at_slices(self, nals: list[bytes]) -> None:
        for nal in nals:
            kind = nal_type(nal)
            if kind == 7:
                self._look_at_set(Sps.parse(nal))
            elif kind == 1 and not self._in_order and is_b_slice(nal):
                raise Refusal("it has B-frames")

    def _look_at_set(self, about: Sps) -> None:
        if about.chroma_format_idc != 1 or (about.bit_depth_luma, about.bit_depth_chroma) != (8, 8):
            raise Refusal("browsers show only 4:2:0 in 8 bits")
        self._in_order = about.never_reorders
