"""All parameter sets of a stream, in its header and before each key frame."""

import io
from collections.abc import Callable
from fractions import Fraction

import av
import pytest
from camera_sources.clips import pictures
from camera_sources.parameter_sets import (
    Nals,
    pps_as,
    slice_as,
    sps_as,
    with_ids,
    with_unused_pps,
    with_used_pps,
)
from media.cmaf import CmafError, Init, fragment, video_init
from media.h264 import (
    H264Error,
    ParameterSets,
    Pps,
    Sps,
    is_key,
    length_prefixed,
    parameter_set_id,
    slices,
)

CHANGES: dict[str, Callable[[list[Nals]], list[Nals]]] = {
    "one": lambda units: units,
    "two, one unused": lambda units: with_unused_pps(units, 1),
    "three": lambda units: with_unused_pps(units, 1, 255),
    "two, both used": lambda units: with_used_pps(units, 7),
    "ids other than zero": lambda units: with_ids(units, 31, 200),
}


def carried(units: list[Nals]) -> bytes:
    """The stream as the station's consumers get it: a header, and slices alone."""
    sets = ParameterSets()
    sets.take(units[0])
    found = sets.of(units[0])
    assert found
    (sps, *more), (pps, *others) = found
    parts = [video_init(sps, pps, *more, *others)]
    for number, unit in enumerate(units):
        data = length_prefixed(slices(unit))
        parts.append(fragment(1, number + 1, number * 9000, 9000, 0.0, data, is_key(unit)))
    return b"".join(parts)


def decoded(stream: bytes) -> int:
    with av.open(io.BytesIO(stream), "r", format="mp4") as film:
        return sum(1 for _ in film.decode(video=0))


@pytest.mark.parametrize("kind", CHANGES)
def test_each_picture_can_be_decoded_from_header_and_slices(kind: str) -> None:
    units = CHANGES[kind](pictures())
    assert decoded(carried(units)) == len(units) == 30


def test_the_header_holds_all_sets_and_those_in_use_first() -> None:
    first, second = pictures()[0], pictures("160x120")[0]
    small = [sps_as(nal, 1) for nal in second if nal[0] & 31 == 7]
    small += [pps_as(nal, 1, 1) for nal in second if nal[0] & 31 == 8]
    sets = ParameterSets()
    sets.take([*first, *small])
    sps, pps = sets.of([slice_as(second[-1], 1)]) or ([], [])
    assert (sps[0], pps[0]) == tuple(small)
    init = Init.parse(video_init(sps[0], pps[0], *sps[1:], *pps[1:]))
    assert (init.width, init.height) == (160, 120)
    assert init.parameter_sets == (*sps, *pps)
    assert (init.sps, init.pps) == tuple(small)


def test_a_set_that_comes_again_under_its_id_takes_the_place_of_the_old_one() -> None:
    unit, other = pictures()[0], pictures("160x120")[0]
    sets = ParameterSets()
    sets.take(unit)
    sets.take(other)
    sps, pps = sets.of(other) or ([], [])
    assert [Sps.parse(nal).width for nal in sps] == [160]
    assert len(pps) == 1


def test_no_more_sets_are_kept_than_a_header_can_hold() -> None:
    unit = pictures()[0]
    sets = ParameterSets()
    sets.take(sps_as(nal, n) for nal in unit if nal[0] & 31 == 7 for n in range(32))
    sets.take(pps_as(nal, n, 31) for nal in unit if nal[0] & 31 == 8 for n in range(256))
    sps, pps = sets.of([slice_as(unit[-1], 255)]) or ([], [])
    assert (len(sps), len(pps)) == (31, 255)
    assert len(Init.parse(video_init(sps[0], pps[0], *sps[1:], *pps[1:])).parameter_sets) == 286
    with pytest.raises(CmafError, match="no room"):
        video_init(sps[0], pps[0], *sps)


def test_a_slice_without_its_set_has_none() -> None:
    unit = pictures()[0]
    sets = ParameterSets()
    assert sets.of(unit) is None
    sets.take(unit)
    assert sets.of([slice_as(unit[-1], 3)]) is None
    assert sets.of([]) is None


def test_ids_are_read() -> None:
    unit = with_ids(pictures()[:1], 5, 130)[0]
    by_kind = {nal[0] & 31: nal for nal in unit}
    assert (Sps.parse(by_kind[7]).id, Pps.parse(by_kind[8])) == (5, Pps(130, 5, 1))
    assert parameter_set_id(by_kind[5]) == 130
    with pytest.raises(H264Error, match="does not exist"):
        Pps.parse(pps_as(by_kind[8], 256))
    with pytest.raises(H264Error, match="does not exist"):
        Sps.parse(sps_as(by_kind[7], 32))


def test_shape_and_order_of_fields_are_read() -> None:
    interlaced = pictures("320x240", 10, 1, "-flags", "+ildct+ilme", "-vf", "setsar=16/11")
    about = Sps.parse(next(nal for nal in interlaced[0] if nal[0] & 31 == 7))
    assert about.interlaced
    assert about.pixel_shape == pytest.approx(16 / 11)
    plain = Sps.parse(next(nal for nal in pictures()[0] if nal[0] & 31 == 7))
    assert (plain.interlaced, plain.pixel_shape) == (False, Fraction(1))
