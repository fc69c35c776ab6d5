"""Sets what a USB camera lets be set, under the names that `v4l2-ctl --list-ctrls` prints.

Structures and numbers: linux/videodev2.h.
"""

import errno
import fcntl
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from .source import SourceError

_QUERYCTRL, _QUERYMENU, _S_CTRL = 0xC0445624, 0xC02C5625, 0xC008561C
_CONTROL, _MENU = "=2I32s4i3I", "=2I32sI"
_NEXT = 0x8000_0000
_DISABLED, _READ_ONLY = 1, 4
_INTEGER, _BOOLEAN, _LIST, _BITMASK, _NUMBERS = 1, 2, 3, 8, 9
_MOST = 256
"""Controls that are asked for at most: a broken device may count for ever."""

Ioctl = Callable[[int, int, bytearray], object]


class Control(NamedTuple):
    """One control: its number, kind, least and greatest value, and the choices of a menu."""

    id: int
    kind: int
    least: int
    most: int
    choices: dict[str, int]

    @property
    def allowed(self) -> str:
        """What it takes, in words."""
        if self.choices:
            return ", ".join(f"{number} ({name})" for name, number in self.choices.items())
        return f"{self.least} to {self.most}"


def apply(
    fd: int,
    wanted: Mapping[str, bool | int | str],
    ioctl: Ioctl = lambda *args: fcntl.ioctl(*args),
) -> None:
    """Set them; SourceError, and none is set, for a name or value that the device does not have.

    Switches come first: an exposure can be set once automatic exposure is off.
    """
    known = controls(fd, ioctl) if wanted else {}
    values = [(known.get(name), name, value) for name, value in wanted.items()]
    found = [(*_checked(control, name, value, known), name) for control, name, value in values]
    for control, number, name in sorted(found, key=lambda each: each[0].kind in (_INTEGER,)):
        try:
            ioctl(fd, _S_CTRL, bytearray(struct.pack("=Ii", control.id, number)))
        except OSError as error:
            why = f"{error.strerror} (another control may hold it)"
            raise SourceError(f"v4l2_controls.{name} = {wanted[name]}: {why}") from error


def _checked(
    control: Control | None, name: str, value: bool | int | str, known: Mapping[str, Control]
) -> tuple[Control, int]:
    if control is None:
        has = ", ".join(sorted(known)) or "none"
        raise SourceError(f"v4l2_controls.{name}: the camera has no such control; it has {has}")
    number = _number(control, value)
    right = number in control.choices.values() if control.choices else True
    if number is None or not right or not control.least <= number <= control.most:
        raise SourceError(f"v4l2_controls.{name} = {value}: the camera takes {control.allowed}")
    return control, number


def _number(control: Control, value: bool | int | str) -> int | None:
    if not isinstance(value, str):
        return int(value)
    text = value.strip().lower()
    by_name = {name.lower(): number for name, number in control.choices.items()}
    if text in by_name:
        return by_name[text]
    if control.kind == _BOOLEAN and text in ("true", "false"):
        return int(text == "true")
    try:
        return int(text, 0)
    except ValueError:
        return None


def controls(fd: int, ioctl: Ioctl) -> dict[str, Control]:
    """Every control that can be set, by name."""
    found = {}
    for number, kind, name, least, most, _, _, flags, _, _ in _each(fd, ioctl):
        settable = kind in (_INTEGER, _BOOLEAN, _LIST, _BITMASK, _NUMBERS)
        if not settable or flags & (_DISABLED | _READ_ONLY):
            continue
        choices = dict(_choices(fd, number, kind, least, most, ioctl))
        # A mask may use the highest bit, which reads as a sign.
        least, most = (0, most & 0xFFFF_FFFF) if kind == _BITMASK else (least, most)
        found[spelled(_text(name))] = Control(number, kind, least, most, choices)
    return found


def spelled(name: str) -> str:
    """A control's name as v4l2-ctl writes it: "White Balance, Automatic" is
    white_balance_automatic."""
    words = "".join(char.lower() if char.isalnum() else " " for char in name)
    return "_".join(words.split())


def _each(fd: int, ioctl: Ioctl) -> Iterator[tuple[Any, ...]]:
    number = 0
    for _ in range(_MOST):
        asked = struct.pack("=I", number | _NEXT)
        buffer = bytearray(asked.ljust(struct.calcsize(_CONTROL), b"\0"))
        try:
            ioctl(fd, _QUERYCTRL, buffer)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOTTY):
                return
            raise
        answer = struct.unpack(_CONTROL, buffer)
        yield answer
        number = answer[0]


def _choices(
    fd: int, number: int, kind: int, least: int, most: int, ioctl: Ioctl
) -> Iterator[tuple[str, int]]:
    if kind not in (_LIST, _NUMBERS):
        return
    for index in range(least, min(most, least + _MOST) + 1):
        buffer = bytearray(struct.pack(_MENU, number, index, b"", 0))
        try:
            ioctl(fd, _QUERYMENU, buffer)
        except OSError:
            continue  # menus have holes
        raw: bytes = struct.unpack(_MENU, buffer)[2]
        name = str(struct.unpack_from("=q", raw)[0]) if kind == _NUMBERS else _text(raw)
        yield name, index


def _text(raw: bytes) -> str:
    return raw.split(b"\0")[0].decode(errors="replace")
