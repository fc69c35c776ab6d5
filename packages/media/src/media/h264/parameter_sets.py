"""All parameter sets of a stream, by their ids: H.264 §7.4.1.2.1."""

from collections.abc import Iterable

from media.h264.nal import WITH_SLICE_HEADER, nal_type, parameter_set_id
from media.h264.pps import Pps
from media.h264.sps import Sps

_SPS, _PPS = 7, 8
MOST_SPS, MOST_PPS = 31, 255
"""What an avcC record has room for (ISO/IEC 14496-15 §5.3.3.1.2)."""


class ParameterSets:
    """The newest set under each id; what has not been sent for longest gives way first."""

    def __init__(self) -> None:
        self._sps: dict[int, bytes] = {}
        self._pps: dict[int, bytes] = {}
        self._owner: dict[int, int] = {}

    def take(self, nals: Iterable[bytes]) -> None:
        """Remember the parameter sets among these units; H264Error for one that makes no sense."""
        for nal in nals:
            kind = nal_type(nal)
            if kind == _SPS:
                _put(self._sps, Sps.parse(nal).id, nal, MOST_SPS)
            elif kind == _PPS:
                about = Pps.parse(nal)
                self._owner[about.id] = about.sps
                _put(self._pps, about.id, nal, MOST_PPS)

    def used_by(self, nals: Iterable[bytes]) -> tuple[bytes, bytes] | None:
        """The SPS and the PPS of the first slice; None when there is no slice, or no such set."""
        for nal in nals:
            if nal_type(nal) in WITH_SLICE_HEADER:
                number = parameter_set_id(nal)
                sps = self._sps.get(self._owner.get(number, -1))
                pps = self._pps.get(number)
                return (sps, pps) if sps and pps else None
        return None

    def of(self, nals: Iterable[bytes]) -> tuple[list[bytes], list[bytes]] | None:
        """All SPS and all PPS, those that the slices use first; None as by `used_by`."""
        used = self.used_by(nals)
        if used is None:
            return None
        return _first(used[0], self._sps), _first(used[1], self._pps)


def _put(sets: dict[int, bytes], number: int, nal: bytes, most: int) -> None:
    sets.pop(number, None)
    sets[number] = nal
    if len(sets) > most:
        del sets[next(iter(sets))]


def _first(used: bytes, sets: dict[int, bytes]) -> list[bytes]:
    return [used, *(nal for _, nal in sorted(sets.items()) if nal != used)]
