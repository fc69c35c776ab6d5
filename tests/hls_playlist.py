"""Reads HLS playlists strictly, for the tests: RFC 8216bis §4."""

import re
from datetime import datetime
from typing import NamedTuple

ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^",]+)(?:,|$)')
DURATION = "#EXTINF:"


def attributes(line: str) -> dict[str, str]:
    """The attribute list of a tag; every character of it must be understood."""
    text = line.split(":", 1)[1]
    found = list(ATTRIBUTE.finditer(text))
    assert "".join(match[0] for match in found) == text, line
    return {match[1]: match[2].strip('"') for match in found}


class Part(NamedTuple):
    uri: str
    duration: float
    independent: bool


class Segment(NamedTuple):
    number: int
    turn: int
    map: str
    began: float
    """Unix time (s)."""
    duration: float | None
    """None: not complete."""
    uri: str | None
    gap: bool
    parts: list[Part]


class Playlist:
    """A media playlist; reading it checks what RFC 8216bis demands of any playlist."""

    def __init__(self, text: str) -> None:
        lines = text.splitlines()
        assert lines[0] == "#EXTM3U" and lines[1] == "#EXT-X-VERSION:6", lines[:2]
        tags = {line.split(":")[0]: line for line in lines}
        self.target = int(tags["#EXT-X-TARGETDURATION"].split(":")[1])
        self.first = int(tags["#EXT-X-MEDIA-SEQUENCE"].split(":")[1])
        self.turn = int(tags["#EXT-X-DISCONTINUITY-SEQUENCE"].split(":")[1])
        self.control = attributes(tags["#EXT-X-SERVER-CONTROL"])
        self.part_target = float(attributes(tags["#EXT-X-PART-INF"])["PART-TARGET"])
        hint = tags.get("#EXT-X-PRELOAD-HINT")
        self.hint = attributes(hint)["URI"] if hint else None
        self.independent = "#EXT-X-INDEPENDENT-SEGMENTS" in tags
        self.reports = [attributes(line) for line in lines if "#EXT-X-RENDITION-REPORT" in line]
        self.segments: list[Segment] = []
        self._read(lines)
        self._check()

    @property
    def whole(self) -> list[Segment]:
        return [segment for segment in self.segments if segment.uri]

    @property
    def parts(self) -> list[Part]:
        return [part for segment in self.segments for part in segment.parts]

    @property
    def last(self) -> tuple[int, int]:
        """Segment and part of the end."""
        end = self.segments[-1]
        return end.number, len(end.parts) - 1

    def _read(self, lines: list[str]) -> None:
        turn, header, began, gap = self.turn, "", 0.0, False
        parts: list[Part] = []
        duration: float | None = None
        number = self.first
        for line in lines:
            if line == "#EXT-X-DISCONTINUITY":
                turn += 1
            elif line.startswith("#EXT-X-MAP"):
                header = attributes(line)["URI"]
            elif line.startswith("#EXT-X-PROGRAM-DATE-TIME:"):
                began = datetime.fromisoformat(line.split(":", 1)[1]).timestamp()
            elif line == "#EXT-X-GAP":
                gap = True
            elif line.startswith("#EXT-X-PART:"):
                about = attributes(line)
                independent = about.get("INDEPENDENT") == "YES"
                parts.append(Part(about["URI"], float(about["DURATION"]), independent))
            elif line.startswith(DURATION):
                duration = float(line.removeprefix(DURATION).rstrip(","))
            elif not line.startswith("#"):
                found = Segment(number, turn, header, began, duration, line, gap, parts)
                self.segments.append(found)
                number, parts, duration, gap = number + 1, [], None, False
        if parts:
            self.segments.append(Segment(number, turn, header, began, None, None, gap, parts))

    def _check(self) -> None:
        assert self.segments and self.target > 0
        assert float(self.control["PART-HOLD-BACK"]) >= 2 * self.part_target
        assert float(self.control["HOLD-BACK"]) >= 3 * self.target
        for segment in self.segments:
            assert segment.map and segment.began
            if segment.duration is not None:
                assert round(segment.duration) <= self.target
                if segment.parts:
                    total = sum(part.duration for part in segment.parts)
                    assert abs(total - segment.duration) < 0.001
            for part in segment.parts:
                assert part.duration <= self.part_target + 0.001

    def check_parts(self) -> None:
        """What holds as long as no frame is lost: no part but a segment's last is short."""
        for segment in self.segments:
            for part in segment.parts[:-1] if segment.uri else segment.parts:
                assert part.duration >= 0.85 * self.part_target - 0.001
