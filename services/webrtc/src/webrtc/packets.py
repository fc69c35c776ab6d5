"""H.264 as RTP payloads: RFC 6184, packetization mode 1."""

from collections.abc import Iterable

LARGEST = 1200
"""Bytes of a payload: with all headers below the 1280 that every IPv6 path carries."""
STAP_A, FU_A = 24, 28
SPS, DELIMITER = 7, 9


def payloads(nals: Iterable[bytes]) -> list[bytes]:
    """The payloads of one access unit; small neighbours share one, large ones are cut."""
    made: list[bytes] = []
    small: list[bytes] = []
    room = LARGEST - 1
    for nal in nals:
        if len(nal) + 2 > room:
            made += joined(small)
            small, room = [], LARGEST - 1
        if len(nal) > LARGEST:
            made += cut(nal)
        else:
            small.append(nal)
            room -= len(nal) + 2
    return made + joined(small)


def joined(nals: list[bytes]) -> list[bytes]:
    """Several units in one packet (STAP-A, §5.7.1); one stands for itself."""
    if len(nals) < 2:
        return nals
    importance = max(nal[0] & 0x60 for nal in nals)
    parts = [len(nal).to_bytes(2, "big") + nal for nal in nals]
    return [bytes((importance | STAP_A,)) + b"".join(parts)]


def cut(nal: bytes) -> list[bytes]:
    """One unit over several packets of about one size (FU-A, §5.8)."""
    indicator, kind = nal[0] & 0xE0 | FU_A, nal[0] & 0x1F
    count = -(-(len(nal) - 1) // (LARGEST - 2))
    size = -(-(len(nal) - 1) // count)
    starts = range(1, len(nal), size)
    return [
        bytes((indicator, kind | (start == 1) << 7 | (start + size >= len(nal)) << 6))
        + nal[start : start + size]
        for start in starts
    ]


def access_unit(nals: list[bytes], key: bool, sets: list[bytes]) -> list[bytes]:
    """The units to send: parameter sets stand before every key frame, delimiters nowhere."""
    kept = [nal for nal in nals if nal[0] & 0x1F != DELIMITER]
    if key and not any(nal[0] & 0x1F == SPS for nal in kept):
        return sets + kept
    return kept
