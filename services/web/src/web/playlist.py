"""Playlists of HLS as text: RFC 8216bis."""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from media.cmaf import Init

from .cutter import GRACE
from .rendition import Rendition
from .segment import Segment

TYPE = "application/vnd.apple.mpegurl"
PARTS_LISTED = 3
"""Target durations, from the end, in which parts are listed (§6.2.2)."""
HOLD_BACK = 3
"""Part targets that a player stays behind the end (§4.4.3.8 recommends three, and takes two)."""


class Sound(NamedTuple):
    """A rendition of the sound, as the multivariant playlist offers it."""

    name: str
    codecs: str
    channels: int


def multivariant(video: Init, sounds: Iterable[Sound], bandwidth: int, fps: float | None) -> str:
    """The picture with each kind of sound, best first. bandwidth: bit/s at most."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:6"]
    about = f"BANDWIDTH={bandwidth}"
    if video.width:
        about += f",RESOLUTION={video.width}x{video.height}"
    if fps:
        about += f",FRAME-RATE={fps:.3f}"
    variants = []
    for sound in sounds:
        lines.append(
            f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{sound.name}",NAME="Sound",DEFAULT=YES,'
            f'AUTOSELECT=YES,CHANNELS="{sound.channels}",URI="{sound.name}.m3u8"'
        )
        codecs = f'CODECS="{video.codecs},{sound.codecs}",AUDIO="{sound.name}"'
        variants += [f"#EXT-X-STREAM-INF:{about},{codecs}", "video.m3u8"]
    alone = [f'#EXT-X-STREAM-INF:{about},CODECS="{video.codecs}"', "video.m3u8"]
    return "\n".join([*lines, *(variants or alone), ""])


def media(name: str, rendition: Rendition, length: float, others: Mapping[str, Rendition]) -> str:
    """The playlist of one rendition. length: seconds of a segment; others: to report on."""
    listed = rendition.listed
    scale = rendition.timescale
    target = round((2 + GRACE) * length)
    longest = max((part.duration for one in listed for part in one.parts), default=0) / scale
    part_target = max(rendition.part_target, longest)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:6",
        f"#EXT-X-TARGETDURATION:{target}",
        f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,HOLD-BACK={3 * target}"
        f",PART-HOLD-BACK={max(HOLD_BACK * rendition.part_target, 2 * part_target):.3f}",
        f"#EXT-X-PART-INF:PART-TARGET={math.ceil(part_target * 1000) / 1000:.3f}",
        f"#EXT-X-MEDIA-SEQUENCE:{listed[0].number}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{listed[0].turn}",
    ]
    if all(segment.independent for segment in listed):
        lines.append("#EXT-X-INDEPENDENT-SEGMENTS")
    left = sum(segment.duration for segment in listed) / scale
    before: Segment | None = None
    for segment in listed:
        left -= segment.duration / scale
        lines += heading(name, segment, before)
        if left < PARTS_LISTED * target:
            lines += parts(name, segment, scale)
        if segment.complete:
            gap = ["#EXT-X-GAP"] if segment.absent else []
            lines += [*gap, f"#EXTINF:{segment.duration / scale:.5f},", f"{name}/{segment.file()}"]
        before = segment
    return "\n".join([*lines, *ending(name, rendition, others), ""])


def heading(name: str, segment: Segment, before: Segment | None) -> list[str]:
    """What stands before a segment: what has changed, and when it was captured."""
    lines = []
    if before and before.turn != segment.turn:
        lines.append("#EXT-X-DISCONTINUITY")
    if not before or before.session != segment.session:
        lines.append(f'#EXT-X-MAP:URI="{name}/{segment.session}.init.mp4"')
    moment = datetime.fromtimestamp(segment.capture, UTC).isoformat(timespec="milliseconds")
    return [*lines, f"#EXT-X-PROGRAM-DATE-TIME:{moment.removesuffix('+00:00')}Z"]


def parts(name: str, segment: Segment, scale: int) -> list[str]:
    """The parts of a segment."""
    return [
        f"#EXT-X-PART:DURATION={part.duration / scale:.5f}"
        f"{',INDEPENDENT=YES' if part.key else ''}"
        f',URI="{name}/{segment.file(number)}"'
        for number, part in enumerate(segment.parts)
    ]


def ending(name: str, rendition: Rendition, others: Mapping[str, Rendition]) -> list[str]:
    """The part that comes next, and how far the other renditions are (§4.4.5.4)."""
    lines = []
    if hint := rendition.hint:
        lines.append(f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{name}/{hint}"')
    for other, about in others.items():
        if about is not rendition and (listed := about.listed):
            end = listed[-1]
            lines.append(
                f'#EXT-X-RENDITION-REPORT:URI="{other}.m3u8",LAST-MSN={end.number}'
                f",LAST-PART={max(0, len(end.parts) - 1)}"
            )
    return lines
