"""Streams with several parameter sets: the ids of sets and slices written anew (H.264 §7.3)."""

from collections.abc import Callable, Iterable

from media.h264 import annex_b, nal_type, split_annex_b
from media.h264.bits import BitReader, BitWriter, escape, unescape

SPS, PPS, AUD = 7, 8, 9
Nals = list[bytes]


def pps_as(nal: bytes, number: int, sps: int = 0) -> bytes:
    """A PPS under another id, for another SPS."""
    return _rewritten(nal, 2, lambda _: [number, sps])


def sps_as(nal: bytes, number: int) -> bytes:
    """An SPS under another id; profile, constraints and level stand before it."""
    return nal[:4] + _rewritten(nal[:1] + nal[4:], 1, lambda _: [number])[1:]


def slice_as(nal: bytes, pps: int) -> bytes:
    """A slice that uses another PPS. For CAVLC only: the data of CABAC stand at whole bytes."""
    return _rewritten(nal, 3, lambda codes: [*codes[:2], pps])


def without_vui(units: list[Nals]) -> list[Nals]:
    """The same stream, with sets that say nothing of timing or of the order of pictures."""
    return [[_bare(nal) if nal_type(nal) == SPS else nal for nal in unit] for unit in units]


def _bare(nal: bytes) -> bytes:
    """An SPS of baseline or main profile that ends behind its cropping (§7.3.2.1.1)."""
    bits, writer = BitReader(unescape(nal[1:])), BitWriter()
    bits.fixed(24)
    bits.unsigned()
    bits.unsigned()
    if bits.unsigned() == 0:
        bits.unsigned()
    bits.unsigned()
    bits.flag()
    bits.unsigned()
    bits.unsigned()
    if not bits.flag():
        bits.flag()
    bits.flag()
    if bits.flag():
        for _ in range(4):
            bits.unsigned()
    end = bits.position
    bits.position = 0
    writer.fixed(bits.fixed(end), end)
    writer.fixed(0, 1)
    return nal[:1] + escape(writer.payload())


def _rewritten(nal: bytes, count: int, change: Callable[[list[int]], list[int]]) -> bytes:
    """The unit with its first Exp-Golomb codes changed, and the rest of its bits moved up."""
    payload = unescape(nal[1:])
    reader, writer = BitReader(payload), BitWriter()
    for code in change([reader.unsigned() for _ in range(count)]):
        writer.unsigned(code)
    stop = int.from_bytes(payload, "big")
    trailing = (stop & -stop).bit_length()
    left = reader.length - reader.position - trailing
    writer.fixed(reader.fixed(left), left)
    return nal[:1] + escape(writer.payload())


def access_units(stream: bytes) -> list[Nals]:
    """The pictures of a stream that has delimiters, each with what stands before it."""
    units: list[Nals] = []
    for nal in split_annex_b(stream):
        if nal_type(nal) == AUD:
            units.append([])
        units[-1].append(nal)
    return units


def byte_stream(units: Iterable[Nals]) -> bytes:
    """Annex B of these pictures."""
    return b"".join(map(annex_b, units))


def with_unused_pps(units: list[Nals], *numbers: int) -> list[Nals]:
    """Each PPS again under these ids, right behind it; no slice uses them."""
    return [
        [
            each
            for nal in unit
            for each in (nal, *(pps_as(nal, n) for n in numbers if nal_type(nal) == PPS))
        ]
        for unit in units
    ]


def with_used_pps(units: list[Nals], number: int) -> list[Nals]:
    """Each second picture uses a PPS of its own."""
    return [
        [slice_as(nal, number) if place % 2 and nal_type(nal) in (1, 5) else nal for nal in unit]
        for place, unit in enumerate(with_unused_pps(units, number))
    ]


def with_ids(units: list[Nals], sps: int, pps: int) -> list[Nals]:
    """The same stream under other ids than zero."""
    rewrite = {
        SPS: lambda nal: sps_as(nal, sps),
        PPS: lambda nal: pps_as(nal, pps, sps),
        1: lambda nal: slice_as(nal, pps),
        5: lambda nal: slice_as(nal, pps),
    }
    return [
        [rewrite[nal_type(nal)](nal) if nal_type(nal) in rewrite else nal for nal in unit]
        for unit in units
    ]
