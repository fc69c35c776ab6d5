"""A webcam's answers to the ioctls of linux/videodev2.h, by that header's own structures."""

import ctypes
import errno
import os
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")
U32, S32 = ctypes.c_uint32, ctypes.c_int32
Sizes = dict[tuple[int, int], list[float]]
"""Pictures a second that it can, by width and height."""


class FmtDesc(ctypes.Structure):
    _fields_ = (
        ("index", U32),
        ("type", U32),
        ("flags", U32),
        ("description", ctypes.c_char * 32),
        ("pixelformat", U32),
        ("mbus_code", U32),
        ("reserved", U32 * 3),
    )


class FrmSizeEnum(ctypes.Structure):
    _fields_ = (
        ("index", U32),
        ("pixel_format", U32),
        ("type", U32),
        ("numbers", U32 * 6),
        ("reserved", U32 * 2),
    )


class FrmIvalEnum(ctypes.Structure):
    _fields_ = (
        ("index", U32),
        ("pixel_format", U32),
        ("width", U32),
        ("height", U32),
        ("type", U32),
        ("numbers", U32 * 6),
        ("reserved", U32 * 2),
    )


class QueryCtrl(ctypes.Structure):
    _fields_ = (
        ("id", U32),
        ("type", U32),
        ("name", ctypes.c_char * 32),
        ("minimum", S32),
        ("maximum", S32),
        ("step", S32),
        ("default_value", S32),
        ("flags", U32),
        ("reserved", U32 * 2),
    )


class QueryMenu(ctypes.Structure):
    _fields_ = (("id", U32), ("index", U32), ("name", ctypes.c_char * 32), ("reserved", U32))


class Ctrl(ctypes.Structure):
    _fields_ = (("id", U32), ("value", S32))


@dataclass
class Knob:
    """A control: V4L2's number and kind, its name, its range, the items of a menu."""

    id: int
    kind: int
    name: str
    least: int
    most: int
    menu: dict[int, str] = field(default_factory=dict)
    flags: int = 0


class Webcam:
    """Answers as the kernel does; `stepwise` is a format whose size comes in steps of 16."""

    def __init__(
        self, formats: dict[str, Sizes], knobs: list[Knob] | None = None, stepwise: str = ""
    ) -> None:
        self._formats = formats
        self._knobs = knobs or []
        self._stepwise = stepwise
        self.set: list[tuple[int, int]] = []

    def ioctl(self, _fd: int, request: int, buffer: bytearray) -> None:
        assert request >> 16 & 0x3FFF == len(buffer), "the size stands in the request"
        assert request >> 30 == 3 and request >> 8 & 0xFF == ord("V")
        answers = {
            2: self._fmt,
            74: self._size,
            75: self._interval,
            36: self._query,
            37: self._menu,
            28: self._set,
        }
        answers[request & 0xFF](buffer)

    def _fmt(self, buffer: bytearray) -> None:
        about = FmtDesc.from_buffer(buffer)
        assert about.type == 1, "video capture"
        name = self._at(list(self._formats), about.index)
        about.pixelformat = int.from_bytes(name.encode(), "little")
        about.description = b"Motion-JPEG"

    def _size(self, buffer: bytearray) -> None:
        about = FrmSizeEnum.from_buffer(buffer)
        name = int(about.pixel_format).to_bytes(4, "little").decode()
        if name == self._stepwise:
            self._at([0], about.index)
            about.type = 3
            about.numbers[:] = [160, 1920, 16, 120, 1080, 8]
        else:
            width, height = self._at(list(self._formats[name]), about.index)
            about.type = 1
            about.numbers[:2] = [width, height]

    def _interval(self, buffer: bytearray) -> None:
        about = FrmIvalEnum.from_buffer(buffer)
        name = int(about.pixel_format).to_bytes(4, "little").decode()
        sizes = self._formats[name]
        rates = sizes.get((about.width, about.height), next(iter(sizes.values())))
        rate = self._at(rates, about.index)
        about.type = 1
        about.numbers[:2] = [1000, round(rate * 1000)]

    def _query(self, buffer: bytearray) -> None:
        about = QueryCtrl.from_buffer(buffer)
        assert about.id & 0x80000000, "the next one"
        behind = [knob for knob in self._knobs if knob.id > about.id & 0x7FFFFFFF]
        knob = self._at(sorted(behind, key=lambda knob: knob.id), 0)
        about.id, about.type, about.name = knob.id, knob.kind, knob.name.encode()
        about.minimum, about.maximum, about.flags = knob.least, knob.most, knob.flags

    def _menu(self, buffer: bytearray) -> None:
        about = QueryMenu.from_buffer(buffer)
        knob = next(knob for knob in self._knobs if knob.id == about.id)
        if about.index not in knob.menu:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        about.name = knob.menu[about.index].encode()

    def _set(self, buffer: bytearray) -> None:
        about = Ctrl.from_buffer(buffer)
        self.set.append((about.id, about.value))

    @staticmethod
    def _at(found: list[T], index: int) -> T:
        if index >= len(found):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return found[index]
