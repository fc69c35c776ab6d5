"""Sequence parameter sets: H.264 §7.3.2.1.1 and annex E."""

from dataclasses import dataclass
from fractions import Fraction

from media.h264.bits import BitReader, BitWriter, H264Error, escape, unescape
from media.h264.nal import nal_type
from media.h264.vui import Vui, read_vui

_SPS = 7
_BASELINE = 66
_LAST_ID = 31
# §7.3.2.1.1: the profiles whose parameter sets describe chroma and bit depth.
_HIGH = frozenset((100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135))
_LARGEST_SIDE = 16384


@dataclass(frozen=True, slots=True)
class Sps:
    """What a sequence parameter set says.

    constraints: the byte with the constraint_set flags. width, height: pixels after cropping.
    max_num_reorder_frames: None when not said. frame_rate: frames a second by the VUI, or None.
    id: seq_parameter_set_id. interlaced: pictures may be fields (frame_mbs_only_flag is 0).
    pixel_shape: width of a pixel by its height (sample_aspect_ratio, 1 when not said).
    """

    profile_idc: int
    constraints: int
    level_idc: int
    width: int
    height: int
    pic_order_cnt_type: int
    max_num_ref_frames: int
    max_num_reorder_frames: int | None
    frame_rate: float | None
    chroma_format_idc: int
    bit_depth_luma: int
    bit_depth_chroma: int
    id: int
    interlaced: bool
    pixel_shape: Fraction

    @classmethod
    def parse(cls, nal: bytes) -> "Sps":
        """Read a NAL unit of type 7. H264Error when it is none or makes no sense."""
        return _Reading(nal).sps

    @property
    def codec(self) -> str:
        """The `codecs` string of RFC 6381, such as avc1.42C01F."""
        return f"avc1.{self.profile_idc:02X}{self.constraints:02X}{self.level_idc:02X}"

    @property
    def never_reorders(self) -> bool:
        """Whether this set alone proves that frames are shown in the order they are coded.

        By picture order count type 2 (§8.2.1.3), by the baseline profile, which has no B slices
        (§A.2.1), or because it says so. False says only that it takes a look at the slices.
        """
        return (
            self.pic_order_cnt_type == 2
            or self.profile_idc == _BASELINE
            or self.max_num_reorder_frames == 0
        )


def without_reordering(nal: bytes) -> bytes:
    """The same parameter set, saying that no frame is reordered (max_num_reorder_frames = 0).

    Without it a decoder may hold back as many frames as the level allows. Only for streams proven
    to reorder nothing. Everything else stays as it is, bit for bit; what else a new
    bitstream_restriction must say gets the values that §E.2.1 infers when it is absent, but
    max_dec_frame_buffering becomes max_num_ref_frames (at least 1). H264Error for bad input.
    """
    reading = _Reading(nal)
    if reading.sps.max_num_reorder_frames == 0:
        return nal
    return nal[:1] + escape(reading.rewritten())


class _Reading:
    """One pass over a parameter set, which remembers where what may be rewritten stands."""

    def __init__(self, nal: bytes) -> None:
        if nal_type(nal) != _SPS:
            raise H264Error(f"a NAL unit of type {nal_type(nal)} is not a parameter set")
        self._bits = BitReader(unescape(nal[1:]))
        self._vui: Vui | None = None
        self._vui_flag = 0
        self.sps = self._read()

    def _read(self) -> Sps:
        bits = self._bits
        profile, constraints, level = bits.fixed(8), bits.fixed(8), bits.fixed(8)
        number = bits.unsigned()
        if number > _LAST_ID:
            raise H264Error(f"seq_parameter_set_id {number} does not exist")
        chroma, luma_depth, chroma_depth = self._read_chroma() if profile in _HIGH else (1, 8, 8)
        bits.unsigned()
        order_type = self._read_order_count()
        ref_frames = bits.unsigned()
        bits.flag()
        width, height, interlaced = self._read_size(chroma)
        self._vui_flag = bits.position
        if bits.flag():
            self._vui = read_vui(bits)
        return Sps(
            profile_idc=profile,
            constraints=constraints,
            level_idc=level,
            width=width,
            height=height,
            pic_order_cnt_type=order_type,
            max_num_ref_frames=ref_frames,
            max_num_reorder_frames=self._vui.reorder_frames if self._vui else None,
            frame_rate=self._vui.frame_rate if self._vui else None,
            chroma_format_idc=chroma,
            bit_depth_luma=luma_depth,
            bit_depth_chroma=chroma_depth,
            id=number,
            interlaced=interlaced,
            pixel_shape=self._vui.pixel_shape if self._vui else Fraction(1),
        )

    def _read_chroma(self) -> tuple[int, int, int]:
        bits = self._bits
        chroma = bits.unsigned()
        if chroma == 3:
            bits.flag()
        luma_depth, chroma_depth = 8 + bits.unsigned(), 8 + bits.unsigned()
        if chroma > 3 or luma_depth > 14 or chroma_depth > 14:
            raise H264Error("the chroma format or the bit depth does not exist")
        bits.flag()
        if bits.flag():
            for index in range(12 if chroma == 3 else 8):
                if bits.flag():
                    self._skip_scaling_list(16 if index < 6 else 64)
        return chroma, luma_depth, chroma_depth

    def _skip_scaling_list(self, size: int) -> None:
        last = following = 8
        for _ in range(size):
            if following:
                following = (last + self._bits.signed()) % 256
            last = following or last

    def _read_order_count(self) -> int:
        bits = self._bits
        kind = bits.unsigned()
        if kind == 0:
            bits.unsigned()
        elif kind == 1:
            bits.flag()
            bits.signed()
            bits.signed()
            for _ in range(min(bits.unsigned(), 256)):
                bits.signed()
        elif kind > 2:
            raise H264Error(f"pic_order_cnt_type {kind} does not exist")
        return kind

    def _read_size(self, chroma: int) -> tuple[int, int, bool]:
        bits = self._bits
        width, map_units = 16 * (bits.unsigned() + 1), 16 * (bits.unsigned() + 1)
        fields = 1 if bits.flag() else 2
        if fields == 2:
            bits.flag()
        bits.flag()
        height = map_units * fields
        if max(width, height) > _LARGEST_SIDE:
            raise H264Error(f"a picture of {width}x{height} is too large")
        if bits.flag():
            left, right, top, bottom = (bits.unsigned() for _ in range(4))
            width -= (left + right) * (2 if chroma in (1, 2) else 1)
            height -= (top + bottom) * (2 if chroma == 1 else 1) * fields
        if min(width, height) < 1:
            raise H264Error("the cropping leaves nothing of the picture")
        return width, height, fields == 2

    def rewritten(self) -> bytes:
        """The payload with max_num_reorder_frames = 0."""
        writer = BitWriter()
        buffering = max(1, self.sps.max_num_ref_frames)
        if self._vui and self._vui.reorder_at is not None:
            self._copy(writer, self._vui.reorder_at)
            buffering = max(buffering, self._vui.buffering)
        else:
            self._begin_restriction(writer)
        writer.unsigned(0)
        writer.unsigned(buffering)
        return writer.payload()

    def _begin_restriction(self, writer: BitWriter) -> None:
        if self._vui:
            self._copy(writer, self._vui.restriction_at)
        else:
            self._copy(writer, self._vui_flag)
            # A VUI that describes nothing else: its flag, and one for each of eight absent parts.
            writer.fixed(0b1_0000_0000, 9)
        writer.fixed(0b11, 2)
        for inferred in (2, 1, 15, 15):
            writer.unsigned(inferred)

    def _copy(self, writer: BitWriter, end: int) -> None:
        self._bits.position = 0
        writer.fixed(self._bits.fixed(end), end)
