"""Boxes: ISO/IEC 14496-12 §4.2."""

import struct


class CmafError(ValueError):
    """The bytes are not the CMAF they should be, or a value does not fit its field."""


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box with a size of 32 bits."""
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """A box with version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def children(data: bytes, start: int = 0) -> list[tuple[bytes, bytes]]:
    """Kind and body of each box in data[start:]; CmafError when their sizes do not add up."""
    found = []
    position = start
    while position < len(data):
        size = int.from_bytes(data[position : position + 4], "big")
        if size < 8 or position + size > len(data):
            raise CmafError(f"a box of {size} bytes does not fit")
        found.append((data[position + 4 : position + 8], data[position + 8 : position + size]))
        position += size
    return found


def child(data: bytes, kind: bytes, start: int = 0) -> bytes:
    """The body of the first box of this kind in data[start:]; CmafError when there is none."""
    for name, body in children(data, start):
        if name == kind:
            return body
    raise CmafError(f"there is no {kind.decode()} box")


def unpack(form: struct.Struct, data: bytes, offset: int, what: str) -> tuple[int, ...]:
    """Fixed fields; CmafError when the data is shorter."""
    if len(data) < offset + form.size:
        raise CmafError(f"the {what} box is too short")
    return form.unpack_from(data, offset)
